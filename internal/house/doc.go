// Package house holds the house rules as tests: who may import whom, with the reason beside each row. It has no code of
// its own.
package house

//go:build !race

package gate

// bulk is how much the tests move that move much.
const bulk = 64 << 20

// crowd is how many connections the bad phone of the memory test has.
const crowd = maxTCP

//go:build !race

package gate

// bulk is how much the tests move that move much.
const bulk = 64 << 20

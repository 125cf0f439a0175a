// Known functions hold known bytes. Writes its heap profile as protobuf, gzipped, and as text.
package main

import (
	"context"
	"os"
	"runtime"
	"runtime/pprof"
)

var held [][]byte

//go:noinline
func holdSixty(rounds int) {
	for at := 0; at < rounds; at++ {
		held = append(held, make([]byte, 600))
	}
}

//go:noinline
func holdThirty(rounds int) {
	for at := 0; at < rounds; at++ {
		held = append(held, make([]byte, 3000))
	}
}

func inlinedIntoHoldTen() []byte { return make([]byte, 100) }

//go:noinline
func holdTen(rounds int) {
	for at := 0; at < rounds; at++ {
		held = append(held, inlinedIntoHoldTen())
	}
}

var dropped []byte

//go:noinline
func giveBack(rounds int) {
	for at := 0; at < rounds; at++ {
		dropped = make([]byte, 20000)
	}
	dropped = nil
}

func main() {
	runtime.MemProfileRate = 4096
	held = make([][]byte, 0, 20000)
	pprof.Do(context.Background(), pprof.Labels("part", "all"), func(context.Context) {
		holdSixty(6000)
		holdThirty(600)
		holdTen(6000)
		giveBack(500)
	})
	runtime.GC()
	runtime.GC()
	file, _ := os.Create("heap.pb.gz")
	pprof.Lookup("heap").WriteTo(file, 0)
	file.Close()
	file, _ = os.Create("heap.txt")
	pprof.Lookup("heap").WriteTo(file, 1)
	file.Close()
	runtime.KeepAlive(held)
}

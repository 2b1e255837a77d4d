// A checker that is a program: one question on standard input, one answer on standard output.
//
//	program -allow registry.example/ [-allow PREFIX ...]
//
// Whatever goes wrong ends with an exit code other than 0, which counts as no answer.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"
)

const version = "cleanbill.checker/v1"

type question struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Image      string `json:"image"` // registry/repository:tag@sha256:...
	Registry   string `json:"registry"`
}

type answer struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Image      string `json:"image"` // repeated, so that it is no answer about another one
	Allowed    bool   `json:"allowed"`
	Reason     string `json:"reason,omitempty"`
}

type prefixes []string

func (p *prefixes) String() string     { return strings.Join(*p, " ") }
func (p *prefixes) Set(s string) error { *p = append(*p, s); return nil }

func main() {
	var allow prefixes
	flag.Var(&allow, "allow", "where images may come from, such as registry.example/")
	flag.Parse()

	var q question
	if err := json.NewDecoder(os.Stdin).Decode(&q); err != nil {
		log.Fatal(err)
	}
	if q.APIVersion != version || q.Kind != "Question" {
		log.Fatalf("this is no question of %s", version)
	}
	a := answer{APIVersion: version, Kind: "Answer", Image: q.Image}
	// The rule.
	for _, prefix := range allow {
		a.Allowed = a.Allowed || strings.HasPrefix(q.Image, prefix)
	}
	if !a.Allowed {
		a.Reason = fmt.Sprintf("%s is not a place that images may come from", q.Registry)
	}
	if err := json.NewEncoder(os.Stdout).Encode(a); err != nil {
		log.Fatal(err)
	}
}

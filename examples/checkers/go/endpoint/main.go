// A checker that is an HTTP endpoint.
//
//	endpoint -listen 127.0.0.1:8080 -allow registry.example/ [-token-file FILE]
//
// In the clear, so on the gate's own machine only; imagereview shows TLS.
package main

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"
)

const (
	version         = "cleanbill.checker/v1"
	largestQuestion = 4 << 20
)

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
	listen := flag.String("listen", "127.0.0.1:8080", "host:port")
	tokenFile := flag.String("token-file", "", "the file of the token that is wanted")
	flag.Parse()

	var token []byte
	if *tokenFile != "" {
		read, err := os.ReadFile(*tokenFile)
		if err != nil {
			log.Fatal(err)
		}
		token = append([]byte("Bearer "), bytes.TrimSpace(read)...)
	}
	handle := func(w http.ResponseWriter, r *http.Request) {
		given := []byte(r.Header.Get("Authorization"))
		if token != nil && subtle.ConstantTimeCompare(given, token) != 1 {
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		var q question
		body := http.MaxBytesReader(w, r.Body, largestQuestion)
		err := json.NewDecoder(body).Decode(&q)
		if err != nil || r.Method != http.MethodPost || q.APIVersion != version || q.Kind != "Question" {
			http.Error(w, "no question of "+version, http.StatusBadRequest)
			return
		}
		a := answer{APIVersion: version, Kind: "Answer", Image: q.Image}
		// The rule.
		for _, prefix := range allow {
			a.Allowed = a.Allowed || strings.HasPrefix(q.Image, prefix)
		}
		if !a.Allowed {
			a.Reason = fmt.Sprintf("%s is not a place that images may come from", q.Registry)
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(a); err != nil {
			log.Print(err)
		}
	}
	server := http.Server{
		Addr:         *listen,
		Handler:      http.HandlerFunc(handle),
		ReadTimeout:  10 * time.Second,
		WriteTimeout: 10 * time.Second,
	}
	log.Fatal(server.ListenAndServe())
}

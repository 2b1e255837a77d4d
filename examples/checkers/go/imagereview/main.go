// A checker that answers ImageReview, over TLS, to clients with a certificate of one authority.
//
//	imagereview -listen 0.0.0.0:8443 -cert server.crt -key server.key \
//	    -client-ca clients.crt -allow registry.example/
//
// The API server itself could ask it too. The types are those of k8s.io/api/imagepolicy/v1alpha1,
// written out so that nothing but the standard library is needed.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"log"
	"net/http"
	"os"
	"strings"
	"time"
)

const (
	version         = "imagepolicy.k8s.io/v1alpha1"
	largestQuestion = 4 << 20
)

type review struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Spec       spec   `json:"spec"`
	Status     status `json:"status"`
}

type spec struct {
	Containers []struct {
		Image string `json:"image"`
	} `json:"containers"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Namespace   string            `json:"namespace,omitempty"`
}

type status struct {
	Allowed bool   `json:"allowed"`
	Reason  string `json:"reason,omitempty"`
}

type prefixes []string

func (p *prefixes) String() string     { return strings.Join(*p, " ") }
func (p *prefixes) Set(s string) error { *p = append(*p, s); return nil }

func main() {
	var allow prefixes
	flag.Var(&allow, "allow", "where images may come from, such as registry.example/")
	listen := flag.String("listen", "127.0.0.1:8443", "host:port")
	cert := flag.String("cert", "", "the server's certificate")
	key := flag.String("key", "", "its key")
	clientCA := flag.String("client-ca", "", "the authority of clients")
	flag.Parse()

	pem, err := os.ReadFile(*clientCA)
	if err != nil {
		log.Fatal(err)
	}
	clients := x509.NewCertPool()
	if !clients.AppendCertsFromPEM(pem) {
		log.Fatalf("%s has no certificate in it", *clientCA)
	}
	handle := func(w http.ResponseWriter, r *http.Request) {
		var v review
		body := http.MaxBytesReader(w, r.Body, largestQuestion)
		err := json.NewDecoder(body).Decode(&v)
		if err != nil || r.Method != http.MethodPost || v.APIVersion != version || v.Kind != "ImageReview" {
			http.Error(w, "no ImageReview of "+version, http.StatusBadRequest)
			return
		}
		// The rule, for each image of the pod.
		var refused []string
		for _, container := range v.Spec.Containers {
			if !allow.any(container.Image) {
				refused = append(refused, container.Image)
			}
		}
		// What the question says about its own status is not looked at.
		v.Status = status{Allowed: len(refused) == 0}
		if len(refused) > 0 {
			v.Status.Reason = "images may not come from there: " + strings.Join(refused, ", ")
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(v); err != nil {
			log.Print(err)
		}
	}
	server := http.Server{
		Addr:    *listen,
		Handler: http.HandlerFunc(handle),
		TLSConfig: &tls.Config{
			MinVersion: tls.VersionTLS12,
			ClientAuth: tls.RequireAndVerifyClientCert,
			ClientCAs:  clients,
		},
		ReadTimeout:  10 * time.Second,
		WriteTimeout: 10 * time.Second,
	}
	log.Fatal(server.ListenAndServeTLS(*cert, *key))
}

func (p prefixes) any(image string) bool {
	for _, prefix := range p {
		if strings.HasPrefix(image, prefix) {
			return true
		}
	}
	return false
}

// A container registry over TLS for tests, with the two ways in which real ones ask who is there.
//
//	registry ADDRESS CERTIFICATE KEY basic|token USER PASSWORD
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"

	"github.com/google/go-containerregistry/pkg/registry"
)

const token = "a-token-of-the-registry"

func main() {
	address, certificate, key, mode, user, password := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5], os.Args[6]
	images := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	known := func(request *http.Request) bool {
		gotUser, gotPassword, ok := request.BasicAuth()
		return ok && gotUser == user && gotPassword == password
	}
	http.HandleFunc("/token", func(writer http.ResponseWriter, request *http.Request) {
		if !known(request) || request.URL.Query().Get("service") != "registry" {
			http.Error(writer, "who are you", http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(writer, `{"token": %q}`, token)
	})
	http.HandleFunc("/v2/", func(writer http.ResponseWriter, request *http.Request) {
		allowed := mode == "basic" && known(request)
		allowed = allowed || mode == "token" && request.Header.Get("Authorization") == "Bearer "+token
		// Whoever fills the registry comes in by this header; the fetcher does not know it.
		if !allowed && request.Header.Get("X-Fill") == "" {
			challenge := `Basic realm="registry"`
			if mode == "token" {
				challenge = fmt.Sprintf(`Bearer realm="https://%s/token",service="registry",scope="pull"`, address)
			}
			writer.Header().Set("WWW-Authenticate", challenge)
			http.Error(writer, "who are you", http.StatusUnauthorized)
			return
		}
		images.ServeHTTP(writer, request)
	})
	log.Fatal(http.ListenAndServeTLS(address, certificate, key, nil))
}

// A TLS peer made of Go's crypto/tls: `peer server` or `peer client`, which print one line of JSON for each connection, or `peer suites`.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

var groups = map[string]tls.CurveID{
	"X25519MLKEM768": tls.X25519MLKEM768,
	"x25519":         tls.X25519,
	"secp256r1":      tls.CurveP256,
	"secp384r1":      tls.CurveP384,
	"secp521r1":      tls.CurveP521,
}

type report struct {
	OK         bool   `json:"ok"`
	Error      string `json:"error,omitempty"`
	Version    string `json:"version,omitempty"`
	Suite      string `json:"suite,omitempty"`
	ALPN       string `json:"alpn,omitempty"`
	ServerName string `json:"server_name,omitempty"`
	Resumed    bool   `json:"resumed"`
	Peer       string `json:"peer,omitempty"`
	Echo       string `json:"echo,omitempty"`
	OCSP       int    `json:"ocsp_response_bytes"`
	SCTs       int    `json:"scts"`
}

func describe(state tls.ConnectionState) report {
	r := report{OK: true, Version: tls.VersionName(state.Version), Suite: tls.CipherSuiteName(state.CipherSuite),
		ALPN: state.NegotiatedProtocol, ServerName: state.ServerName, Resumed: state.DidResume,
		OCSP: len(state.OCSPResponse), SCTs: len(state.SignedCertificateTimestamps)}
	if len(state.PeerCertificates) > 0 {
		r.Peer = state.PeerCertificates[0].Subject.CommonName
	}
	return r
}

func print(r report) {
	line, err := json.Marshal(r)
	check(err)
	fmt.Println(string(line))
}

func check(err error) {
	if err != nil {
		print(report{Error: err.Error()})
		os.Exit(1)
	}
}

func main() {
	role := os.Args[1]
	if role == "suites" {
		for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
			fmt.Println(suite.Name)
		}
		return
	}
	flags := flag.NewFlagSet(role, flag.ExitOnError)
	cert := flags.String("cert", "", "certificate chains, separated by commas")
	key := flags.String("key", "", "their private keys")
	ca := flags.String("ca", "", "anchors")
	group := flags.String("group", "", "the only group")
	alpn := flags.String("alpn", "", "application protocols")
	clientAuth := flags.Bool("client-auth", false, "insist on a client certificate")
	ocsp := flags.String("ocsp", "", "OCSP response to staple")
	scts := flags.String("scts", "", "SCTs to show, separated by commas")
	address := flags.String("address", "127.0.0.1:0", "to connect to")
	count := flags.Int("count", 1, "client: connections, which share a session cache")
	tls12 := flags.Bool("tls12", false, "TLS 1.2 alone")
	suites := flags.String("suites", "", "of TLS 1.2, separated by commas; client: a connection with each")
	check(flags.Parse(os.Args[2:]))

	config := &tls.Config{MinVersion: tls.VersionTLS13, ServerName: "localhost"}
	if *tls12 {
		config.MinVersion, config.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
		config.CipherSuites = named(*suites)
	}
	if *group != "" {
		config.CurvePreferences = []tls.CurveID{groups[*group]}
	}
	if *alpn != "" {
		config.NextProtos = strings.Split(*alpn, ",")
	}
	if *cert != "" {
		keys := strings.Split(*key, ",")
		for i, path := range strings.Split(*cert, ",") {
			pair, err := tls.LoadX509KeyPair(path, keys[i])
			check(err)
			if *ocsp != "" {
				pair.OCSPStaple, err = os.ReadFile(*ocsp)
				check(err)
			}
			if *scts != "" {
				for _, sct := range strings.Split(*scts, ",") {
					pair.SignedCertificateTimestamps = append(pair.SignedCertificateTimestamps, []byte(sct))
				}
			}
			config.Certificates = append(config.Certificates, pair)
		}
	}
	pool := x509.NewCertPool()
	if *ca != "" {
		pem, err := os.ReadFile(*ca)
		check(err)
		pool.AppendCertsFromPEM(pem)
	}
	if role == "server" {
		if *clientAuth {
			config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, pool
		}
		serve(config)
	} else {
		config.RootCAs = pool
		config.ClientSessionCache = tls.NewLRUClientSessionCache(8)
		each := config.CipherSuites
		if len(each) == 0 {
			each = []uint16{0}
		}
		for _, suite := range each {
			if suite != 0 {
				config.CipherSuites = []uint16{suite}
			}
			for i := 0; i < *count; i++ {
				connect(*address, config)
			}
		}
	}
}

// named are the suites of these names.
func named(names string) (ids []uint16) {
	known := append(tls.CipherSuites(), tls.InsecureCipherSuites()...)
	for _, name := range strings.Split(names, ",") {
		for _, suite := range known {
			if suite.Name == name {
				ids = append(ids, suite.ID)
			}
		}
	}
	return ids
}

// serve sends back every line that comes.
func serve(config *tls.Config) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Printf("port %d\n", listener.Addr().(*net.TCPAddr).Port)
	for {
		plain, err := listener.Accept()
		check(err)
		conn := tls.Server(plain, config)
		if err := conn.Handshake(); err != nil {
			print(report{Error: err.Error()})
			conn.Close()
			continue
		}
		_, err = io.Copy(conn, conn)
		r := describe(conn.ConnectionState())
		if err != nil {
			r.OK, r.Error = false, err.Error()
		}
		conn.Close()
		print(r)
	}
}

// connect sends a line and reads it back.
func connect(address string, config *tls.Config) {
	conn, err := tls.Dial("tcp", address, config)
	check(err)
	_, err = conn.Write([]byte("over the wire\n"))
	check(err)
	line, err := bufio.NewReader(conn).ReadString('\n')
	check(err)
	r := describe(conn.ConnectionState())
	r.Echo = strings.TrimSpace(line)
	check(conn.CloseWrite())
	_, err = io.Copy(io.Discard, conn)
	check(err)
	conn.Close()
	print(r)
}

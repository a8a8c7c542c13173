// Companion stands in for LiveKit's ingress, egress and SIP, none of which can be had
// where tests run. It does no more than they do while nobody uses them: by the name it is
// called, it reads that program's file, strictly; finds its Redis; listens on that
// program's ports; answers health checks, RTMP's handshake and SIP's OPTIONS; and ends
// when it is told. No stream, recording or call was ever made by it.
package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	name := filepath.Base(os.Args[0])
	variable := map[string]string{"ingress": "INGRESS", "egress": "EGRESS", "livekit-sip": "SIP"}[name]
	path := os.Getenv(variable + "_CONFIG_FILE")
	for index, word := range os.Args[1:] {
		if value, found := strings.CutPrefix(word, "--config="); found {
			path = value
		} else if word == "--config" && index+2 < len(os.Args) {
			path = os.Args[index+2]
		}
	}
	log.SetFlags(0)
	if err := start(name, path); err != nil {
		log.Fatalf("%s (a stand-in): %v", name, err)
	}
	log.Printf("%s (a stand-in) listens", name)
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT)
	<-ended
}

func start(name, path string) error {
	var ingress ingressConfig
	var egress egressConfig
	var sip sipConfig
	config, shared := map[string]any{"ingress": &ingress, "egress": &egress, "livekit-sip": &sip},
		map[string]*common{"ingress": &ingress.common, "egress": &egress.common, "livekit-sip": &sip.common}
	if config[name] == nil {
		return fmt.Errorf("it stands in for no program of this name")
	}
	if err := read(path, config[name], shared[name]); err != nil {
		return fmt.Errorf("could not parse config: %w", err)
	}
	if err := meets(shared[name].Redis); err != nil {
		return err
	}
	if err := shared[name].show(name); err != nil {
		return err
	}
	switch name {
	case "ingress":
		return ingress.listen()
	case "egress":
		return serve(fmt.Sprintf("localhost:%d", egress.TemplatePort), answers("<html></html>"))
	default:
		return sip.listen()
	}
}

// meets finds Redis, where there is one address for it.
func meets(redis *redisConfig) error {
	if redis.Address == "" {
		return nil
	}
	conn, err := net.DialTimeout("tcp", redis.Address, 5*time.Second)
	if err != nil {
		return err
	}
	return conn.Close()
}

// show tells that it is well, and numbers.
func (c *common) show(name string) error {
	well := map[string]string{"ingress": "Healthy", "egress": `{"CpuLoad":0}`, "livekit-sip": "OK"}[name]
	if c.HealthPort > 0 {
		if err := serve(fmt.Sprintf(":%d", c.HealthPort), answers(well)); err != nil {
			return err
		}
	}
	if c.PrometheusPort > 0 {
		numbers := "# TYPE stand_in_up gauge\nstand_in_up 1\n"
		return serve(fmt.Sprintf(":%d", c.PrometheusPort), answers(numbers))
	}
	return nil
}

func (c *ingressConfig) listen() error {
	if err := serve(fmt.Sprintf("localhost:%d", c.HTTPRelayPort), http.NotFoundHandler()); err != nil {
		return err
	}
	if c.WHIPPort > 0 {
		mux := http.NewServeMux()
		mux.Handle("GET /health", answers("Healthy"))
		mux.Handle("GET /availability", answers("Available"))
		// Nobody was given a key.
		mux.HandleFunc("POST /", func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "ingress not found", http.StatusNotFound)
		})
		if err := serve(fmt.Sprintf(":%d", c.WHIPPort), mux); err != nil {
			return err
		}
		// Of a range, a port is taken once there is a session.
		if port := c.RTCConfig.UDPPort; port.last == 0 && port.first > 0 {
			if _, err := net.ListenUDP("udp", &net.UDPAddr{Port: port.first}); err != nil {
				return err
			}
		}
	}
	if c.RTMPPort > 0 {
		return accept("tcp", fmt.Sprintf(":%d", c.RTMPPort), nil, shakeHands)
	}
	return nil
}

// shakeHands as RTMP does (Adobe's specification 1.0, section 5.2), and hears no more.
func shakeHands(conn net.Conn) {
	hello := make([]byte, 1537)
	if _, err := io.ReadFull(conn, hello); err != nil || hello[0] != 3 {
		return
	}
	own := make([]byte, 1537)
	own[0] = 3
	if _, err := conn.Write(append(own, hello[1:]...)); err == nil {
		_, _ = io.Copy(io.Discard, conn)
	}
}

func (c *sipConfig) listen() error {
	address := fmt.Sprintf("0.0.0.0:%d", c.SIPPort)
	socket, err := net.ListenPacket("udp4", address)
	if err != nil {
		return err
	}
	go func() {
		heard := make([]byte, 65535)
		for {
			length, from, err := socket.ReadFrom(heard)
			if err != nil {
				return
			}
			if answer := options(heard[:length]); answer != nil {
				_, _ = socket.WriteTo(answer, from)
			}
		}
	}()
	swallow := func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }
	if err := accept("tcp4", address, nil, swallow); err != nil || c.TLS == nil {
		return err
	}
	var all tls.Config
	for _, pair := range c.TLS.Certs {
		certificate, err := tls.LoadX509KeyPair(pair.CertFile, pair.KeyFile)
		if err != nil {
			return err
		}
		all.Certificates = append(all.Certificates, certificate)
	}
	return accept("tcp4", fmt.Sprintf("0.0.0.0:%d", c.TLS.Port), &all, swallow)
}

// options answers OPTIONS with the headers that an answer copies (RFC 3261, section 8.2.6.2).
func options(request []byte) []byte {
	head, _, found := bytes.Cut(request, []byte("\r\n\r\n"))
	if !found || !bytes.HasPrefix(head, []byte("OPTIONS ")) {
		return nil
	}
	answer := "SIP/2.0 200 OK\r\n"
	for _, line := range strings.Split(string(head), "\r\n")[1:] {
		switch name, _, _ := strings.Cut(line, ":"); name {
		case "Via", "From", "To", "Call-ID", "CSeq":
			answer += line + "\r\n"
		}
	}
	return []byte(answer + "Content-Length: 0\r\n\r\n")
}

func answers(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
}

func serve(address string, handler http.Handler) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() { log.Print(server.Serve(listener)) }()
	return nil
}

func accept(network, address string, config *tls.Config, handle func(net.Conn)) error {
	listener, err := net.Listen(network, address)
	if err != nil {
		return err
	}
	if config != nil {
		listener = tls.NewListener(listener, config)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				handle(conn)
			}()
		}
	}()
	return nil
}

// Echo is the service that stands in for a user's own program in tests.
//
// It listens on $PORT (8080 if unset). GET /health answers 200, /ws echoes
// WebSocket messages, a POST to /api/webhook is taken where LiveKit signed it
// with $LIVEKIT_API_SECRET (where that is set), a POST to /api/rooms is answered
// with $LIVEKIT_PUBLIC_URL and a token signed with that secret, and every other
// path answers with what arrived: method, path, headers, remote address, and the
// name of the host that answered. The environment is not shown: it may hold secrets.
//
// `echo migrate FILE` plays what is done before it is started: it ends with 3 where there
// is no such file, and says so with that secret, as programs do that say how they dialled.
package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/websocket"
)

// seen is what a request looked like from here.
type seen struct {
	Method   string      `json:"method"`
	Host     string      `json:"host"`
	Path     string      `json:"path"`
	Query    string      `json:"query"`
	Headers  http.Header `json:"headers"`
	Remote   string      `json:"remote"`
	Hostname string      `json:"hostname"`
}

// message keeps a WebSocket message's kind, so that text comes back as text.
type message struct {
	data []byte
	kind byte
}

var messages = websocket.Codec{
	Marshal: func(v any) ([]byte, byte, error) {
		m := v.(*message)
		return m.data, m.kind, nil
	},
	Unmarshal: func(data []byte, kind byte, v any) error {
		*v.(*message) = message{data, kind}
		return nil
	},
}

func echo(ws *websocket.Conn) {
	for {
		var m message
		if messages.Receive(ws, &m) != nil || messages.Send(ws, &m) != nil {
			return
		}
	}
}

// signed says whether LiveKit signed a webhook: its token is ours, not over, and of this body.
func signed(token string, body []byte, secret string) bool {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(parts[0] + "." + parts[1]))
	sum, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || !hmac.Equal(sum, mac.Sum(nil)) {
		return false
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return false
	}
	var claims struct {
		Exp    int64  `json:"exp"`
		Sha256 string `json:"sha256"`
	}
	digest := sha256.Sum256(body)
	return json.Unmarshal(text, &claims) == nil && time.Now().Unix() < claims.Exp &&
		claims.Sha256 == base64.StdEncoding.EncodeToString(digest[:])
}

func webhook(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	secret := os.Getenv("LIVEKIT_API_SECRET")
	if err != nil || (secret != "" && !signed(r.Header.Get("Authorization"), body, secret)) {
		http.Error(w, "not signed by LiveKit", http.StatusUnauthorized)
	}
}

// room admits whoever asks to the room that they name: LiveKit makes it when they come.
func room(w http.ResponseWriter, r *http.Request) {
	var wanted struct {
		RoomName string `json:"room_name"`
		UserName string `json:"user_name"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&wanted); err != nil || wanted.RoomName == "" {
		http.Error(w, "room_name and user_name are wanted", http.StatusBadRequest)
		return
	}
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`))
	claims, err := json.Marshal(map[string]any{
		"iss": "main", "sub": wanted.UserName, "exp": time.Now().Add(time.Minute).Unix(),
		"video": map[string]any{"roomJoin": true, "room": wanted.RoomName},
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	token := header + "." + base64.RawURLEncoding.EncodeToString(claims)
	mac := hmac.New(sha256.New, []byte(os.Getenv("LIVEKIT_API_SECRET")))
	mac.Write([]byte(token))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	answer := map[string]string{
		"room_name": wanted.RoomName, "url": os.Getenv("LIVEKIT_PUBLIC_URL"),
		"token": token + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)),
	}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		log.Print(err)
	}
}

func show(w http.ResponseWriter, r *http.Request) {
	hostname, err := os.Hostname()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	answer := seen{r.Method, r.Host, r.URL.Path, r.URL.RawQuery, r.Header, r.RemoteAddr, hostname}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		log.Print(err)
	}
}

func migrate(files []string) {
	for _, file := range files {
		if _, err := os.Stat(file); err != nil {
			log.Printf("failed with %s: %v", os.Getenv("LIVEKIT_API_SECRET"), err)
			os.Exit(3)
		}
	}
	log.Print("migrated")
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "migrate" {
		migrate(os.Args[2:])
		return
	}
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("ok\n"))
	})
	// A Server, unlike a Handler, takes clients that send no Origin.
	mux.Handle("/ws", websocket.Server{Handler: echo})
	mux.HandleFunc("POST /api/webhook", webhook)
	mux.HandleFunc("POST /api/rooms", room)
	mux.HandleFunc("/", show)

	server := &http.Server{Addr: ":" + port, Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	// The first process of a container has to handle its own end.
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	done := make(chan struct{})
	go func() {
		<-ended
		within, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(within)
		close(done)
	}()
	log.Printf("listening on %s", server.Addr)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	<-done
}

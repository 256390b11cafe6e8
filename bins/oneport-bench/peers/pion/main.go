// A relay with pion, as somebody who knows it would write one in a weekend: the yardstick for
// oneport-bench. It speaks to clients as oneport does over plain channels: an offer is posted to
// /r/{room}, and what a member says on a data channel goes verbatim to the channels with the same
// label of all others in the room.
//
// What was chosen for speed: one UDP port, ICE-lite, one certificate for all, no media engine,
// detached channels (no callback and no copy for each message), and messages written to all
// receivers by the goroutine that read them (a queue and a goroutine for each receiver only add to it).
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/pion/datachannel"
	"github.com/pion/ice/v2"
	"github.com/pion/webrtc"
)

const (
	// An offer is some kilobytes.
	offerBytesMax = 64 << 10
	// The largest message that pion's SCTP sends.
	messageBytesMax = 64 << 10
	// Whoever has more than this on the way to them is too slow to stay.
	bufferedBytesMax = 16 << 20
	// Bursts must not overflow the one socket.
	socketBytes = 4 << 20
)

// room holds the open channels of a room, by label.
type room struct {
	sync.RWMutex
	channels map[string]map[*datachannel.DataChannel]struct{}
}

func (r *room) join(label string, channel *datachannel.DataChannel) {
	r.Lock()
	defer r.Unlock()
	if r.channels[label] == nil {
		r.channels[label] = map[*datachannel.DataChannel]struct{}{}
	}
	r.channels[label][channel] = struct{}{}
}

func (r *room) leave(label string, channel *datachannel.DataChannel) {
	r.Lock()
	defer r.Unlock()
	delete(r.channels[label], channel)
}

// relay passes on what comes from a channel until it ends.
func (r *room) relay(label string, from *datachannel.DataChannel) {
	r.join(label, from)
	defer r.leave(label, from)
	buffer := make([]byte, messageBytesMax)
	for {
		n, isText, err := from.ReadDataChannel(buffer)
		if err != nil {
			return
		}
		r.RLock()
		for to := range r.channels[label] {
			if to == from {
				continue
			}
			if to.BufferedAmount() > bufferedBytesMax {
				go to.Close()
				continue
			}
			// A receiver that is gone leaves by its own goroutine.
			_, _ = to.WriteDataChannel(buffer[:n], isText)
		}
		r.RUnlock()
	}
}

type server struct {
	api    *webrtc.API
	config webrtc.Configuration
	mutex  sync.Mutex
	rooms  map[string]*room
}

func (s *server) room(name string) *room {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	found := s.rooms[name]
	if found == nil {
		found = &room{channels: map[string]map[*datachannel.DataChannel]struct{}{}}
		s.rooms[name] = found
	}
	return found
}

// answer makes a peer connection whose channels belong to the room.
func (s *server) answer(room *room, offer string) (string, error) {
	pc, err := s.api.NewPeerConnection(s.config)
	if err != nil {
		return "", err
	}
	pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		if state == webrtc.PeerConnectionStateFailed || state == webrtc.PeerConnectionStateDisconnected {
			_ = pc.Close()
		}
	})
	pc.OnDataChannel(func(channel *webrtc.DataChannel) {
		channel.OnOpen(func() {
			detached, err := channel.Detach()
			if err != nil {
				return
			}
			if raw, ok := detached.(*datachannel.DataChannel); ok {
				go func() {
					room.relay(channel.Label(), raw)
					_ = pc.Close()
				}()
			}
		})
	})
	description := webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}
	gathered := webrtc.GatheringCompletePromise(pc)
	err = pc.SetRemoteDescription(description)
	if err == nil {
		var answer webrtc.SessionDescription
		if answer, err = pc.CreateAnswer(nil); err == nil {
			err = pc.SetLocalDescription(answer)
		}
	}
	if err != nil {
		_ = pc.Close()
		return "", err
	}
	<-gathered
	return pc.LocalDescription().SDP, nil
}

func (s *server) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	name := strings.TrimPrefix(request.URL.Path, "/r/")
	if request.Method != http.MethodPost || name == request.URL.Path || name == "" {
		http.NotFound(w, request)
		return
	}
	offer, err := io.ReadAll(http.MaxBytesReader(w, request.Body, offerBytesMax))
	if err == nil {
		var answer string
		if answer, err = s.answer(s.room(name), string(offer)); err == nil {
			w.Header().Set("Content-Type", "application/sdp")
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, answer)
			return
		}
	}
	http.Error(w, err.Error(), http.StatusBadRequest)
}

func newServer(address string) (*server, error) {
	udp, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return nil, err
	}
	socket, err := net.ListenUDP("udp", udp)
	if err != nil {
		return nil, err
	}
	// As large as the kernel allows.
	_ = socket.SetReadBuffer(socketBytes)
	_ = socket.SetWriteBuffer(socketBytes)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	certificate, err := webrtc.GenerateCertificate(key)
	if err != nil {
		return nil, err
	}
	settings := webrtc.SettingEngine{}
	settings.DetachDataChannels()
	settings.SetLite(true)
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	settings.SetICEUDPMux(webrtc.NewICEUDPMux(nil, socket))
	return &server{
		api:    webrtc.NewAPI(webrtc.WithSettingEngine(settings)),
		config: webrtc.Configuration{Certificates: []webrtc.Certificate{*certificate}},
		rooms:  map[string]*room{},
	}, nil
}

func main() {
	address := flag.String("listen", "127.0.0.1:3478", "UDP for data, TCP for signaling")
	flag.Parse()
	server, err := newServer(*address)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe(*address, server))
}

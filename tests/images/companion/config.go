package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// The keys that Stageplot renders, with the types that the programs' own structs have:
// pkg/config/config.go of livekit/ingress v1.5.0 and livekit/sip v1.11.0, pkg/config/base.go
// and service.go of livekit/egress v1.14.1, redis/redis.go and xtls of livekit/protocol,
// pkg/rtcconfig/config.go of livekit/mediatransportutil, config.go of livekit/storage.
// The programs pass over what they do not know; this one does not.

type redisConfig struct {
	Address           string     `yaml:"address"`
	Username          string     `yaml:"username"`
	Password          string     `yaml:"password"`
	DB                int        `yaml:"db"`
	TLS               *tlsClient `yaml:"tls"`
	MasterName        string     `yaml:"sentinel_master_name"`
	SentinelPassword  string     `yaml:"sentinel_password"`
	SentinelAddresses []string   `yaml:"sentinel_addresses"`
	ClusterAddresses  []string   `yaml:"cluster_addresses"`
}

type tlsClient struct {
	Enabled    bool   `yaml:"enabled"`
	ServerName string `yaml:"server_name"`
	CACertFile string `yaml:"ca_cert_file"`
}

type common struct {
	Redis          *redisConfig `yaml:"redis"`
	APIKey         string       `yaml:"api_key"`
	APISecret      string       `yaml:"api_secret"`
	WsURL          string       `yaml:"ws_url"`
	HealthPort     int          `yaml:"health_port"`
	PrometheusPort int          `yaml:"prometheus_port"`
	Logging        struct {
		Level string `yaml:"level"`
	} `yaml:"logging"`
}

type ingressConfig struct {
	common        `yaml:",inline"`
	RTMPPort      int       `yaml:"rtmp_port"`
	WHIPPort      int       `yaml:"whip_port"`
	HTTPRelayPort int       `yaml:"http_relay_port"`
	RTCConfig     rtcConfig `yaml:"rtc_config"`
	CPUCost       struct {
		RTMP       float64 `yaml:"rtmp_cpu_cost"`
		WHIP       float64 `yaml:"whip_cpu_cost"`
		WHIPBypass float64 `yaml:"whip_bypass_transcoding_cpu_cost"`
		URL        float64 `yaml:"url_cpu_cost"`
		MinIdle    float64 `yaml:"min_idle_ratio"`
	} `yaml:"cpu_cost"`
}

type rtcConfig struct {
	UDPPort           ports  `yaml:"udp_port"`
	ICEPortRangeStart uint32 `yaml:"port_range_start"`
	ICEPortRangeEnd   uint32 `yaml:"port_range_end"`
	UseExternalIP     bool   `yaml:"use_external_ip"`
	NodeIP            string `yaml:"node_ip"`
}

type egressConfig struct {
	common               `yaml:",inline"`
	TemplatePort         int      `yaml:"template_port"`
	Insecure             bool     `yaml:"insecure"`
	DisallowLocalStorage bool     `yaml:"disallow_local_storage"`
	Storage              *storage `yaml:"storage"`
	Backup               *storage `yaml:"backup"`
	CPUCost              struct {
		MaxCPUUtilization  float64 `yaml:"max_cpu_utilization"`
		MaxMemory          float64 `yaml:"max_memory"`
		MemoryCost         float64 `yaml:"memory_cost"`
		RoomComposite      float64 `yaml:"room_composite_cpu_cost"`
		AudioRoomComposite float64 `yaml:"audio_room_composite_cpu_cost"`
		Web                float64 `yaml:"web_cpu_cost"`
		AudioWeb           float64 `yaml:"audio_web_cpu_cost"`
		Participant        float64 `yaml:"participant_cpu_cost"`
		TrackComposite     float64 `yaml:"track_composite_cpu_cost"`
		Track              float64 `yaml:"track_cpu_cost"`
	} `yaml:"cpu_cost"`
}

type storage struct {
	Prefix string `yaml:"prefix"`
	S3     *struct {
		AccessKey      string `yaml:"access_key"`
		Secret         string `yaml:"secret"`
		Region         string `yaml:"region"`
		Endpoint       string `yaml:"endpoint"`
		Bucket         string `yaml:"bucket"`
		ForcePathStyle bool   `yaml:"force_path_style"`
	} `yaml:"s3"`
}

type sipConfig struct {
	common            `yaml:",inline"`
	SIPPort           int     `yaml:"sip_port"`
	SIPHostname       string  `yaml:"sip_hostname"`
	RTPPort           ports   `yaml:"rtp_port"`
	UseExternalIP     bool    `yaml:"use_external_ip"`
	NAT1To1IP         string  `yaml:"nat_1_to_1_ip"`
	LocalNet          string  `yaml:"local_net"`
	MaxActiveCalls    int     `yaml:"max_active_calls"`
	MaxCPUUtilization float64 `yaml:"max_cpu_utilization"`
	TLS               *struct {
		Port  int `yaml:"port"`
		Certs []struct {
			CertFile string `yaml:"cert_file"`
			KeyFile  string `yaml:"key_file"`
		} `yaml:"certs"`
	} `yaml:"tls"`
}

// ports are one, or "first-last" of which the last is greater.
type ports struct{ first, last int }

func (p *ports) UnmarshalYAML(node *yaml.Node) error {
	first, last, isRange := strings.Cut(node.Value, "-")
	var err error
	if p.first, err = strconv.Atoi(first); err != nil || !isRange {
		return err
	}
	if p.last, err = strconv.Atoi(last); err == nil && p.last <= p.first {
		err = fmt.Errorf("the last of %s has to be greater than the first", node.Value)
	}
	return err
}

// read decodes a file, and says what is in it that it does not know, or that is missing.
func read(path string, into any, shared *common) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	decoder := yaml.NewDecoder(file)
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if err := decoder.Decode(&struct{}{}); err != io.EOF {
		return fmt.Errorf("more than one document")
	}
	for name, value := range map[string]string{"api_key": shared.APIKey, "api_secret": shared.APISecret, "ws_url": shared.WsURL} {
		if value == "" {
			return fmt.Errorf("%s is missing", name)
		}
	}
	if shared.Redis == nil {
		return fmt.Errorf("redis configuration is required")
	}
	return nil
}

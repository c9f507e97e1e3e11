//! Sends events to files, webhooks, syslog and MQTT, and counts them for Prometheus.

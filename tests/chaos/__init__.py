"""Nothing lost, proven by breaking it: load, a fault, and a judge that reads Kafka and PostgreSQL. See docs/CHAOS.md."""

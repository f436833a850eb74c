"""What in `k8s` is made of the code: topics and rules. `python -m k8s.generate` writes them, a test compares."""

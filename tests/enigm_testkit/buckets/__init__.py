"""Real object stores on loopback, for the tests: moto, SeaweedFS, Ceph, Azurite, fake-gcs-server, and two bad ones."""

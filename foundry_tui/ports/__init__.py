"""What the services need from the outside world, each port as small as its callers' use of it."""

"""What the tests share: servers, runtimes and clocks that do as they are told."""

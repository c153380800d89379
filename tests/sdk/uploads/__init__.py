"""Files sent by the clients of a small contract, over a socket."""

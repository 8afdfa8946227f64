"""The control socket: messages, server and client."""

"""The chain as this node sees it: one adapter to an RPC endpoint, anchoring, and the capture of evidence."""

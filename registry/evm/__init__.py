"""What an Ethereum block proves about the anchor registry, from bytes alone: no RPC endpoint is believed."""

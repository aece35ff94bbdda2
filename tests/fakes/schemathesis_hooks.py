"""What schemathesis has to be told about the interface: credentials are JSON."""

import json

import schemathesis


@schemathesis.deserializer("application/vc")
def credential(ctx, response):
    """A body of this media type as a value."""
    return json.loads(response.content)

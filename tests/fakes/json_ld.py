"""A context with every feature that the two roads to RDF could read differently, and the library on its own."""

from collections.abc import Mapping
from typing import Any

from cachetools import LRUCache
from pyld import jsonld
from pyld.canon import URDNA2015
from pyld.context_resolver import ContextResolver

from testamur.registry.contexts import find_context
from testamur.registry.rdf.processor import RELATIVE_BASE

EVERYTHING = "https://everything.example/v1"
XSD = "http://www.w3.org/2001/XMLSchema#"

EVERYTHING_DOCUMENT: dict[str, Any] = {
    "@context": {
        "@version": 1.1,
        "ex": "https://everything.example/#",
        "value": "@value",
        "tongue": "@language",
        "sort": "@type",
        "text": "ex:text",
        "label": {"@id": "ex:label", "@language": "DE"},
        "date": {"@id": "ex:date", "@type": f"{XSD}dateTime"},
        "double": {"@id": "ex:double", "@type": f"{XSD}double"},
        "integer": {"@id": "ex:integer", "@type": f"{XSD}integer"},
        "flag": {"@id": "ex:flag", "@type": f"{XSD}boolean"},
        "ref": {"@id": "ex:ref", "@type": "@id"},
        "word": {"@id": "ex:word", "@type": "@vocab"},
        "free": {"@id": "ex:free", "@type": "@none"},
        "json": {"@id": "ex:json", "@type": "@json"},
        "list": {"@id": "ex:list", "@container": "@list"},
        "refs": {"@id": "ex:refs", "@type": "@id", "@container": "@list"},
        "set": {"@id": "ex:set", "@container": "@set"},
        "map": {"@id": "ex:map", "@container": "@language"},
        "maps": {"@id": "ex:maps", "@container": ["@language", "@set"]},
        "graph": {"@id": "ex:graph", "@container": "@graph"},
        "graphs": {"@id": "ex:graphs", "@type": "@id", "@container": ["@graph", "@set"]},
        "index": {"@id": "ex:index", "@container": "@index"},
        "byId": {"@id": "ex:byId", "@container": "@id"},
        "inside": {
            "@id": "ex:inside",
            "@context": {"text": "ex:insideText", "deep": {"@id": "ex:deep", "@type": "@id"}, "gone": None},
        },
        "local": {"@id": "ex:local", "@context": {"@propagate": False, "text": "ex:localText"}},
        "reset": {"@id": "ex:reset", "@context": None},
        "changed": {"@id": "ex:changed", "@context": {"changed": {"@id": "ex:again", "@type": "@id"}}},
        "back": {"@reverse": "ex:back"},
        "bundle": "@nest",
        "gone": None,
        "Kind": {
            "@id": "ex:Kind",
            "@context": {
                "text": "ex:kindText",
                "own": "ex:own",
                "ref": "ex:kindRef",
                "inside": {"@id": "ex:kindInside", "@context": {"text": "ex:bothText"}},
            },
        },
        "Wide": {
            "@id": "ex:Wide",
            "@context": {"@propagate": True, "text": "ex:wideText", "wide": "ex:wide"},
        },
        "Plain": "ex:Plain",
    }
}


def library_dataset(document: Mapping[str, Any], contexts: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The RDF of `document` as the library alone gives it, without any of our checks."""

    def load(url: str, _options: object) -> dict[str, Any]:
        found = find_context(url) or contexts[url]
        return {
            "contextUrl": None,
            "documentUrl": url,
            "document": found,
            "contentType": "application/ld+json",
        }

    resolver = ContextResolver(LRUCache(maxsize=16), load)
    options = {"base": RELATIVE_BASE, "contextResolver": resolver}
    dataset: dict[str, list[Any]] = jsonld.JsonLdProcessor().to_rdf(dict(document), options)
    return {name: unrepeated(triples) for name, triples in dataset.items()}


def library_canonical(dataset: Mapping[str, list[Any]]) -> bytes:
    """The canonical form that the library alone gives."""
    text: str = URDNA2015().main(dict(dataset), {"format": "application/n-quads"})
    return text.encode()


def unrepeated(triples: list[Any]) -> list[Any]:
    """RDF is a set: the library says a statement twice when JSON does, in two ways of writing."""
    found: list[Any] = []
    for triple in triples:
        if triple not in found:
            found.append(triple)
    return found

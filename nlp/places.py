"""Which places a text names, in which zone of the municipality they lie, and how sure that is.

The names come from the municipality's configuration, from Peru's districts and from the looks of
a name (`nlp.place_names`); what stands around a name says whether it is one (`nlp.place_context`).
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from hashlib import sha256
from typing import TYPE_CHECKING

from configs.districts import districts
from configs.schema import Landmark, Municipality, Zone
from nlp import place_context as context
from nlp.place_names import ABBREVIATED, DISTRICT, KILOMETRE, KIND_OF, ZONE, Entry, Names, fold

if TYPE_CHECKING:  # spaCy is heavy: only who looks for places waits for it
    from spacy.tokens import Doc, Span

INHERITED = 0.5
"""What is left of the opener's confidence where a reply takes its zone."""

_RULES = "2"  # raise it with every change of rules or words here: texts are then read again
_READ = 20_000  # characters of a text in which places are looked for
_BY_LOOKS = 0.6
_CROSSED = 0.8  # two places that share one zone only
_LONGEST_NAME = 100
_LINKS = ("de", "del", "la", "el", "los", "las")
_WORDS_OF_REGION = 4
_REGION = ("provincia", "region", "departamento", "distrito", "de", "en")


Region = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A place that a text names, and where in the text the name stands.

    ``zone`` is the zone in which it lies, ``confidence`` how sure that is, or, without a zone,
    how sure the name is a place. A place that may lie in several has ``zones`` and no zone.
    ``kind`` is zone, district, or one of a landmark's; ``district`` is a UBIGEO code.
    """

    zone: str | None
    confidence: float
    start: int
    end: int
    kind: str = ZONE
    name: str = ""
    district: str | None = None
    zones: tuple[str, ...] = ()


def identifier(
    zones: Sequence[Zone], landmarks: Sequence[Landmark] = (), ubigeo: str | None = None
) -> str:
    """Return what names these places and the rules here: another gazetteer has another."""
    names = [
        [[zone.code, zone.name, *zone.aliases] for zone in zones],
        [one.model_dump(mode="json") for one in landmarks],
        ubigeo,
    ]
    return f"places-{_RULES}/{sha256(json.dumps(names).encode()).hexdigest()[:12]}"


def named_by(municipality: Municipality) -> str:
    """Return the identifier of a municipality's gazetteer."""
    return identifier(municipality.zones, municipality.landmarks, municipality.ubigeo)


class Gazetteer:
    """The places of a municipality, ready to be found in texts."""

    def __init__(
        self,
        zones: Sequence[Zone],
        landmarks: Sequence[Landmark] = (),
        ubigeo: str | None = None,
    ) -> None:
        """Prepare the names. With ``ubigeo``, the own district's code, all of Peru's are known."""
        self.identifier = identifier(zones, landmarks, ubigeo)
        self._names = Names(zones, landmarks, ubigeo)
        self._home = ubigeo
        self._regions = _regions_elsewhere(ubigeo) if ubigeo else frozenset()

    @classmethod
    def of(cls, municipality: Municipality) -> "Gazetteer":
        """Return the gazetteer of a municipality."""
        return cls(municipality.zones, municipality.landmarks, municipality.ubigeo)

    def locate(self, texts: Sequence[str]) -> list[Place | None]:
        """Return for each text the place that tells most: of the zone that is surest.

        Of equals that of the most named zone, then the first. Where no name tells a zone, but the
        zones of two have one in common, it is that; else a place without a zone, if there is one.
        Places are looked for in the first 20,000 characters.
        """
        return [_telling(places) for places in self.mentions(texts)]

    def mentions(self, texts: Sequence[str]) -> list[list[Place]]:
        """Return for each text every place that it names, in their order."""
        folded = [fold(text[:_READ]) for text in texts]
        docs = self._names.docs([plain for plain, _ in folded])
        return [
            [_as_written(place, text, where) for place in self._judge(doc)]
            for doc, text, (_, where) in zip(docs, texts, folded, strict=True)
        ]

    def _judge(self, doc: "Doc") -> list[Place]:
        """Return the names that are places, with the doubtful zones beside another place here."""
        found = [place for span in doc.ents if (place := self._place(span, doc))]
        sure = [place for place in found if place.confidence]
        here = {place.zone or place.district for place in sure if place.zone or self._own(place)}
        places = [
            replace(place, confidence=context.beside(place.confidence) or 0.0)
            if place.kind == ZONE and here - {place.zone}
            else place
            for place in found
        ]
        return [place for place in places if place.confidence]

    def _place(self, span: "Span", doc: "Doc") -> Place | None:
        """Return the place that a name is by its context; a doubtful zone with confidence 0."""
        entry = self._names.entry(span)
        if span.label_ == KILOMETRE:
            return self._kilometre(span, doc)
        if entry is None:
            return _by_looks(span)
        if entry.kind == DISTRICT:
            return self._district(span, entry)
        if entry.kind == ZONE:
            return self._zone(span, entry)
        confidence = context.confidence(span)
        return _placed(span, entry, confidence) if confidence else None

    def _zone(self, span: "Span", entry: Entry) -> Place | None:
        confidence = context.confidence(span)
        if confidence is None or (not context.is_sure(span) and self._elsewhere(span)):
            return None
        kind, start, named_for = _noun_before(span)
        if named_for:  # a street may bear the name of a zone and lie in another
            confidence = min(confidence, context.BESIDE)
        place = _placed(span, entry, confidence)
        if kind:
            place = replace(place, kind=kind, start=start, name="")
        return place

    def _own(self, place: Place) -> bool:
        return place.district is not None and place.district == self._home

    def _elsewhere(self, span: "Span") -> bool:
        """Say whether a name is followed by a region of which this municipality is no part."""
        return not self._regions.isdisjoint(_after(span))

    def _district(self, span: "Span", entry: Entry) -> Place | None:
        after = _after(span)
        some = [one for one in entry.districts if _region(one.province) in after]
        some = some or [one for one in entry.districts if _region(one.department) in after]
        stated = "distrito" in context.words_before(span)[:2]
        confidence: float | None = context.SURE
        if not some:
            near = [one for one in entry.districts if one.ubigeo[:4] == (self._home or "")[:4]]
            some = near or (list(entry.districts) if stated else [])
            if not stated:
                confidence = context.confidence(span, ordinary=len(span) < 3)
        doubtful = span.text.islower() and confidence == context.OF  # «jugo de lima»
        if not some or not confidence or doubtful:
            return None
        district = some[0].ubigeo if len(some) == 1 else None
        return replace(_placed(span, entry, confidence), district=district)

    def _kilometre(self, span: "Span", doc: "Doc") -> Place | None:
        """Return the stretch of a road on which a kilometre lies: of a named road, or the one."""
        written = re.search(r"[\d.,]+$", span.text)
        roads = self._names.stretched
        named = [one for other in doc.ents if (one := self._names.entry(other)) in roads]
        choice = {one.name: one for one in named or roads if one}
        of_another = not named and doc[span.end : span.end + 1].text in ("de", "del")
        if not written or len(choice) != 1 or of_another:
            return None
        (road,), number = choice.values(), float(written.group().replace(",", "."))
        zone = next((s.zone for s in road.stretches if s.from_km <= number < s.to_km), None)
        sure = context.CUED if named else context.OF
        return _placed(span, road, sure, (zone,)) if zone else None


def _placed(
    span: "Span", entry: Entry, confidence: float, zones: tuple[str, ...] | None = None
) -> Place:
    zones = entry.zones if zones is None else zones
    return Place(
        zone=zones[0] if len(zones) == 1 else None,
        confidence=confidence,
        start=span.start_char,
        end=span.end_char,
        kind=entry.kind,
        name=entry.name,
        zones=zones if len(zones) > 1 else (),
    )


def _by_looks(span: "Span") -> Place:
    return Place(
        zone=None,
        confidence=_BY_LOOKS,
        start=span.start_char,
        end=span.end_char,
        kind=span.label_,
    )


def _as_written(place: Place, text: str, where: Sequence[int]) -> Place:
    """Return a place of the folded text where it stands in the text, named as it is there."""
    start, end = where[place.start], where[place.end - 1] + 1
    name = place.name or " ".join(text[start:end].split())[:_LONGEST_NAME]
    return replace(place, start=start, end=end, name=name)


def _noun_before(span: "Span") -> tuple[str | None, int, bool]:
    """Return what a noun before a zone's name says it is, where it begins, and if it bears it.

    «mercado de Ceres» is a market in Ceres; a «calle Ceres» bears the name, wherever it lies.
    """
    doc, at = span.doc, span.start - 1
    while at >= 0 and (doc[at].lower_ in (*_LINKS, ".") or doc[at].is_digit):
        at -= 1
    word = doc[at].lower_ if at >= 0 else ""
    ended = doc[at + 1].text == "." and word not in ABBREVIATED
    kind = KIND_OF.get(word)
    if kind is None or ended:
        return None, span.start_char, False
    linked = any(token.lower_ in ("de", "del") for token in doc[at + 1 : span.start])
    return kind, doc[at].idx, kind in ("street", "avenue") and not linked


def _after(span: "Span") -> list[Region]:
    """Return the words after a name that a region's name may be: «, Arequipa», «de La Libertad»."""
    doc, at = span.doc, span.end
    while at < len(doc) and (doc[at].text in ",(-" or doc[at].lower_ in _REGION):
        at += 1
    if at == span.end and not doc[at : at + 1].text.istitle():
        return []
    words = [token.lower_ for token in doc[at : at + _WORDS_OF_REGION]]
    return [tuple(words[:count]) for count in range(1, len(words) + 1)]


def _region(name: str) -> Region:
    return tuple(fold(name)[0].lower().split())


def _regions_elsewhere(ubigeo: str) -> frozenset[Region]:
    """Return the departments and provinces of which the district with this code is no part."""
    home = {name for one in districts() if one.ubigeo == ubigeo for name in one[2:4]}
    names = {name for one in districts() for name in (one.province, one.department)}
    return frozenset(map(_region, names - home))


def _telling(places: Sequence[Place]) -> Place | None:
    named = Counter(place.zone for place in places)
    zoned = [place for place in places if place.zone]
    if zoned:
        return max(zoned, key=lambda p: (p.confidence, named[p.zone], -p.start))
    several = [place for place in places if place.zones]
    if several:
        return _crossing(several)
    return max(places, key=lambda p: (p.confidence, -p.start), default=None)


def _crossing(places: Sequence[Place]) -> Place:
    """Return the first of places in several zones, with those that all of them share."""
    shared = reduce(lambda left, place: left & set(place.zones), places, set(places[0].zones))
    first = places[0]
    if len(shared) == 1:
        confidence = round(first.confidence * _CROSSED, 4)
        return replace(first, zone=shared.pop(), zones=(), confidence=confidence)
    return replace(first, zones=tuple(one for one in first.zones if one in shared) or first.zones)

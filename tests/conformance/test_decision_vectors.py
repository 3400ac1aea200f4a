"""Decisions of direct mode, replayed by a second implementation from the spec alone."""

import math

import pytest


@pytest.fixture(scope="module")
def decisions(vectors):
    return vectors("decisions")


def field(part):
    return part.split("|")[0].split(":")[0]


class Rule:
    """Spec 60, "Answers" and "Score", over sets and dicts."""

    def __init__(self, keys, score, rows):
        self.keys = {key["id"]: key for key in keys}
        self.score = score
        if score:
            moved = math.floor(4 * math.log2(max(rows, score["rows"]) / min(rows, score["rows"])))
            self.threshold = score["threshold"] + (moved if rows > score["rows"] else -moved)

    def is_weak(self, key):
        return self.keys[key].get("weak", False)

    def is_shared(self, key):
        return self.is_weak(key) and not self.keys[key].get("alone", False)

    def opens(self, person):
        shares = sum(self.is_shared(key) for key in person["met"])
        return shares >= 2 or shares < len(person["met"])

    def parts(self, person):
        return {part for key in person["met"] for part in self.keys[key]["exact"]}

    def weight(self, person, asked):
        heaviest = {}
        for part in self.parts(person):
            weight = self.score["parts"].get(part, 0)
            heaviest[field(part)] = max(weight, heaviest.get(field(part), weight))
        missed = sum(self.score["missed"].get(key, 0) for key in set(asked) - {*person["met"]})
        names = max([r & 15 for r in person["met"].values() if r & 15 != 15], default=0)
        places = max([r >> 4 for r in person["met"].values() if r >> 4 != 15], default=0)
        rare = names * self.score["names"] + places * self.score["places"]
        return sum(heaviest.values()) + missed + rare

    def best(self, persons, asked):
        """Those who stand before the others."""
        strong = [p for p in persons if not all(map(self.is_weak, p["met"]))]
        left = strong or persons
        if not self.score:
            return [p for p in left if not any(self.parts(p) < self.parts(q) for q in left)]
        top = max(self.weight(p, asked) for p in left)
        return [p for p in left if top - self.weight(p, asked) < self.score["margin"]]

    def answer(self, record):
        persons, asked = record["persons"], record["asked"]
        open_ones = [p for p in persons if self.opens(p)]
        if not open_ones:
            return "tidak_ditemukan", "", 0, ()
        sure = [p for p in open_ones if not self.score or self.weight(p, asked) >= self.threshold]
        if not sure:
            return "belum_dapat_dipastikan", "di_bawah_presisi", 0, ()
        left = self.best(sure, asked)
        alone = len(left) == 1 or not any(all(map(self.is_weak, p["met"])) for p in left)
        if not alone or any(p["set_aside"] for p in left) or len({p["code"] for p in left}) > 1:
            return "ganda", "", 0, ()
        met = {key for p in left for key in p["met"]}
        return "ditemukan", "", left[0]["code"], tuple(key for key in self.keys if key in met)


def test_the_threshold_follows_the_table(decisions):
    for rows, threshold in decisions["thresholds"]:
        assert Rule(decisions["keys"], decisions["score"], rows).threshold == threshold


@pytest.mark.parametrize("how", ["weighed", "unweighed"])
def test_every_record_is_answered_by_the_rule(decisions, how):
    told = set()
    for record in decisions["records"]:
        expected = record[how]
        score = decisions["score"] if how == "weighed" else None
        rule = Rule(decisions["keys"], score, record["rows"])
        if score:
            assert expected["weights"] == [
                rule.weight(person, record["asked"]) for person in record["persons"]
            ]
        made = expected["outcome"], expected["reason"], expected["code"], tuple(expected["way"])
        assert made == rule.answer(record), record
        told.add(expected["outcome"])
    every = {"ditemukan", "ganda", "tidak_ditemukan", "belum_dapat_dipastikan"}
    assert told == (every if how == "weighed" else every - {"belum_dapat_dipastikan"})

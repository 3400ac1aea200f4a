"""What the findings mean, for a reader who has never seen an attack."""

from __future__ import annotations

from padan_client.base import numbers
from padan_client.base.language import t
from padan_lab.assess.assessing import Assessment
from padan_lab.assess.suite import Attack, View


def percent(share: float | None, digits: int = 2) -> str:
    """A share from 0 to 1 in per cent, as the reader writes decimals; a dash for none."""
    return "–" if share is None else numbers.percent(share, digits)


def view_name(view: View) -> str:
    """What the attacker sees, in a word or two."""
    return {
        View.TABLE: t("seadanya", "as delivered"),
        View.GROUPS: t("+ kelompok garam", "+ salt groups"),
        View.ALIGNED: t("+ jalur sejajar", "+ aligned passes"),
    }[view]


def attack_name(attack: Attack) -> str:
    """The attack in plain words."""
    return {
        Attack.FREQ: t("frekuensi dan kesamaan", "frequency and equality"),
        Attack.PM: t("penambangan pola bit", "pattern mining"),
        Attack.GMA: t("pencocokan graf", "graph matching"),
        Attack.SIG: t("baris kemiripan terurut", "sorted-similarity rows"),
        Attack.GRP: t("sidik jari kelompok", "group fingerprints"),
        Attack.COLOURS: t("pewarnaan antarjalur", "colour refinement over passes"),
    }[attack]


def verdict(assessed: Assessment) -> list[str]:
    """One sentence on the whole, then one for every pass that deserves one."""
    lines = [_whole(assessed)]
    for p in assessed.passes:
        above = p.above()
        if above:
            worst = max(above, key=lambda r: r.persons)
            found, limit = percent(worst.persons, 1), percent(p.limits[worst.view], 0)
            lines.append(
                t(
                    f"Jalur {p.p.id}: {attack_name(worst.attack)} ({worst.attack}) mengenali "
                    f"{found} orang, batasnya {limit}. Tambahkan ruas tetap pada "
                    "exact, gabungkan segmennya, atau naikkan weight dan diffusion.",
                    f"Pass {p.p.id}: {attack_name(worst.attack)} ({worst.attack}) re-identifies "
                    f"{found} of the persons, the limit is {limit}. Add a stable "
                    "field to exact, merge its segments, or raise weight and diffusion.",
                )
            )
        elif not p.telling():
            lines.append(
                t(
                    f"Jalur {p.p.id}: hanya {p.persons} orang; terlalu sedikit untuk menilai batas "
                    f"{percent(min(p.limits.values()), 0)}.",
                    f"Pass {p.p.id}: only {p.persons} persons; too few to judge a limit of "
                    f"{percent(min(p.limits.values()), 0)}.",
                )
            )
    if assessed.made:
        lines.append(
            t(
                "Folder ini tidak memuat urutan baris, maka keberhasilan dihitung pada sandi baru "
                "dengan skema yang sama atas populasi yang disebut.",
                "This folder holds no order of rows, so successes were counted on a new encoding "
                "of the named population under the same schema.",
            )
        )
    return lines


def _whole(found: Assessment) -> str:
    if not found.sound():
        return t(
            "TIDAK SAH: pembanding tidak jatuh, maka hasil ini tidak membuktikan apa pun.",
            "VOID: a control did not fall, so these results prove nothing.",
        )
    if found.within():
        return t(
            "Di dalam batas: tidak ada serangan yang melewati batas pada jalur mana pun.",
            "Within the limits: no attack exceeds its limit in any pass.",
        )
    return t(
        "MELEWATI BATAS: sedikitnya satu serangan mengenali lebih banyak orang daripada batasnya.",
        "ABOVE THE LIMITS: at least one attack re-identifies more persons than tolerated.",
    )

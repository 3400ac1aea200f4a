"""What the findings mean, for a reader who has never seen an attack."""

from __future__ import annotations

from padan_client.base import numbers
from padan_client.base.language import t
from padan_lab.assess.assessing import Assessment, PassFindings
from padan_lab.assess.suite import Attack, Rate, Shown, View


def percent(share: float | None, digits: int = 2) -> str:
    """A share from 0 to 1 in per cent, as the reader writes decimals; a dash for none."""
    return "–" if share is None else numbers.percent(share, digits)


def interval(rate: Rate) -> str:
    """The share of persons found and where it lies, in per cent."""
    low, high = (percent(share, 1) for share in rate.interval)
    return f"{percent(rate.persons, 1)} ({low}–{high})"


def view_name(view: View) -> str:
    """What the attacker sees, in a word or two."""
    return {
        View.TABLE: t("seadanya", "as delivered"),
        View.SOME: t("+ sebagian baris", "+ some rows"),
        View.HALF: t("setengah populasi", "half the people"),
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
        Attack.SEEDED: t("pencocokan dari baris yang dikenal", "matching from known rows"),
        Attack.EXTENSION: t("perluasan data", "dataset extension"),
        Attack.GRP: t("sidik jari kelompok", "group fingerprints"),
        Attack.COLOURS: t("pewarnaan antarjalur", "colour refinement over passes"),
    }[attack]


def verdict(assessed: Assessment) -> list[str]:
    """One sentence on the whole, then one for every pass that deserves one, worst first."""
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
            lines.append(_unshown(p))
    lines.append(
        t(
            "Ini baru satu tabel. Apa yang ditunjukkan daftar berulang, pembaruan, umpan dan "
            "jawaban sepanjang satu epok, serta berapa yang terbaca peminta: padan games.",
            "This is one table. What repeated lists, deltas, cover and answers show over an epoch, "
            "and how much a requester can read: padan games.",
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


def _unshown(p: PassFindings) -> str:
    """The rate that so few people leave open the widest."""
    rate = max((r for r in p.rates if p.standing(r) is Shown.UNSHOWN), key=lambda r: r.interval[1])
    limit, high = percent(p.limits[rate.view], 0), percent(rate.interval[1], 1)
    return t(
        f"Jalur {p.p.id}: belum terbukti. {rate.found} dari {rate.asked} dikenali oleh "
        f"{attack_name(rate.attack)}; dengan orang sebanyak itu bisa sampai {high}, batasnya "
        f"{limit}. Uji dengan lebih banyak orang.",
        f"Pass {p.p.id}: not shown. {rate.found} of {rate.asked} are found by "
        f"{attack_name(rate.attack)}; of so few people it may be up to {high}, the limit is "
        f"{limit}. Assess more people.",
    )


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
    if not found.above():
        return t(
            "BELUM TERBUKTI: tidak ada serangan yang jelas melewati batas, tetapi orangnya terlalu "
            "sedikit untuk menyatakan semuanya di dalam batas.",
            "NOT SHOWN: no attack clearly exceeds its limit, but there are too few persons to say "
            "that all are within.",
        )
    return t(
        "MELEWATI BATAS: sedikitnya satu serangan mengenali lebih banyak orang daripada batasnya.",
        "ABOVE THE LIMITS: at least one attack re-identifies more persons than tolerated.",
    )

"""What each ErrorReason means to the user of the client, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping

from padan_client.base.language import t

#: Reason -> (Indonesian, English). ``{article}`` and the like come from the error's metadata.
_TEXTS: dict[str, tuple[str, str]] = {
    "CALLER_UNKNOWN": (
        "Sertifikat TLS instansi ini tidak terdaftar di unit pemadanan. Berikan sidik jarinya "
        "kepada operator unit.",
        "This agency's TLS certificate is not registered with the linkage unit. Give its "
        "fingerprint to the unit's operator.",
    ),
    "AGREEMENT_NOT_FOUND": (
        "Unit pemadanan tidak memuat perjanjian itu, atau instansi ini bukan pihaknya.",
        "The linkage unit has no such agreement, or this agency is not a party to it.",
    ),
    "FLOW_NOT_FOUND": (
        "Perjanjian itu tidak memiliki alur tersebut, atau instansi lain yang menjawabnya.",
        "The agreement has no such flow, or another agency answers it.",
    ),
    "ROLE_NOT_PERMITTED": (
        "Peran instansi ini dalam alur tidak membolehkan panggilan itu ({article}).",
        "This agency's role in the flow does not allow the call ({article}).",
    ),
    "MODE_NOT_PERMITTED": (
        "Alur ini tidak membolehkan mode itu ({article}).",
        "The flow does not allow that mode ({article}).",
    ),
    "AGREEMENT_NOT_STARTED": (
        "Perjanjian belum mulai berlaku ({article}).",
        "The agreement's term has not begun ({article}).",
    ),
    "AGREEMENT_EXPIRED": (
        "Jangka waktu perjanjian telah berakhir ({article}). Pertukaran data dihentikan sampai ada "
        "perjanjian baru.",
        "The agreement's term has ended ({article}). No data is exchanged until there is a new "
        "agreement.",
    ),
    "AGREEMENT_SUSPENDED": (
        "Perjanjian sedang ditangguhkan oleh salah satu pihak ({article}). Hubungi pejabat "
        "penghubung.",
        "A party has suspended the agreement ({article}). Ask the liaison officers.",
    ),
    "AGREEMENT_SUPERSEDED": (
        "Perjanjian ini telah digantikan perjanjian yang lebih baru ({article}).",
        "A later agreement replaces this one ({article}).",
    ),
    "QUOTA_DAY_EXCEEDED": (
        "Kuota harian alur terlampaui: batas {limit} rekaman, terpakai {used} ({article}). Coba "
        "lagi besok atau perkecil daftar.",
        "The flow's daily quota would be exceeded: limit {limit} records, used {used} "
        "({article}). Try again tomorrow or shorten the list.",
    ),
    "QUOTA_LIST_EXCEEDED": (
        "Daftar lebih panjang daripada yang dibolehkan perjanjian: batas {limit} rekaman "
        "({article}). Bagi daftar itu.",
        "The list is longer than the agreement allows: limit {limit} records ({article}). Split "
        "the list.",
    ),
    "BATCH_TOO_SMALL": (
        "Daftar lebih pendek daripada jumlah minimum perjanjian: {limit} rekaman ({article}).",
        "The list is shorter than the agreement's minimum: {limit} records ({article}).",
    ),
    "SCHEMA_MISMATCH": (
        "Skema pemadanan berbeda antara kedua pihak. Pastikan keduanya memakai berkas perjanjian "
        "yang sama, lalu terbitkan ulang.",
        "The linkage schemas of the two sides differ. Make sure that both use the same agreement "
        "file, then publish again.",
    ),
    "NORMALISER_MISMATCH": (
        "Versi penormal nilai berbeda antara kedua pihak. Samakan versi Padan di kedua instansi, "
        "lalu terbitkan ulang.",
        "The two sides prepared their values with different normaliser versions. Run the same "
        "version of Padan at both agencies, then publish again.",
    ),
    "KEY_CHECK_MISMATCH": (
        "Kunci pemadanan berbeda antara kedua pihak, meskipun epoknya sama. Bandingkan sidik jari "
        "kunci (padan keys show), lalu terbitkan ulang.",
        "The two sides' linkage keys differ although the epoch is the same. Compare key "
        "fingerprints (padan keys show), then publish again.",
    ),
    "EPOCH_MISMATCH": (
        "Epok kunci berbeda antara kedua pihak: registri perlu diterbitkan ulang pada epok "
        "terbaru oleh penyedia.",
        "The two sides' key epochs differ: the provider must publish the registry again in the "
        "newest epoch.",
    ),
    "CONTRIBUTION_INVALID": (
        "Unit menolak kontribusi epok: tanda tangan tidak cocok atau epok itu bukan yang "
        "berikutnya.",
        "The unit refused the epoch contribution: its signature does not verify, or the epoch is "
        "not the next one.",
    ),
    "CONTRIBUTION_EXISTS": (
        "Instansi ini sudah memberi kontribusi lain untuk epok itu. Kunci lokal hilang? Buka epok "
        "berikutnya bersama pihak lain.",
        "This agency has already contributed something else to that epoch. Was the local key "
        "lost? Open the next epoch together with the other party.",
    ),
    "DATASET_NOT_FOUND": (
        "Himpunan data itu tidak ada, atau bukan milik instansi ini.",
        "There is no such dataset, or it is not this agency's.",
    ),
    "DATASET_STATE_INVALID": (
        "Keadaan himpunan data tidak membolehkan panggilan itu (mungkin sudah dihapus atau sudah "
        "ditutup).",
        "The dataset's state does not allow the call (it may be deleted or committed).",
    ),
    "REGISTRY_NOT_PUBLISHED": (
        "Penyedia belum menerbitkan registri untuk alur ini. Minta penyedia menjalankan padan "
        "publish.",
        "The provider has not published a registry for this flow yet. Ask it to run padan publish.",
    ),
    "TABLES_INVALID": (
        "Susunan tabel tidak sesuai skema perjanjian ({field}).",
        "The tables are not those that the agreement's schema calls for ({field}).",
    ),
    "OFFSET_OUT_OF_ORDER": (
        "Potongan unggahan tidak berurutan. Ulangi perintah yang sama untuk melanjutkan.",
        "A piece of the upload came out of order. Repeat the same command to go on.",
    ),
    "CHUNK_CORRUPT": (
        "Potongan unggahan berulang kali rusak di perjalanan. Periksa jaringan, lalu ulangi.",
        "A piece of the upload was damaged on its way, repeatedly. Check the network and repeat.",
    ),
    "TABLE_DIGEST_MISMATCH": (
        "Tabel yang tersimpan di unit lain dari yang dikirim. Hapus himpunan data itu (padan runs "
        "delete) lalu kirim ulang.",
        "The table stored at the unit is not the one sent. Delete the dataset (padan runs "
        "delete) and send it again.",
    ),
    "ROWS_MALFORMED": (
        "Kolom unggahan tidak sepanjang jumlah barisnya ({field}). Samakan versi Padan.",
        "An uploaded column is not as long as its rows ({field}). Use the same version of Padan.",
    ),
    "TABLE_INCOMPLETE": (
        "Himpunan data belum lengkap. Ulangi perintah yang sama untuk melanjutkan.",
        "The dataset is incomplete. Repeat the same command to go on.",
    ),
    "RUN_NOT_FOUND": (
        "Pemadanan itu tidak ada, atau bukan milik instansi ini.",
        "There is no such run, or it is not this agency's.",
    ),
    "RUN_NOT_SUCCEEDED": (
        "Pemadanan itu belum berhasil, jadi belum ada hasilnya.",
        "The run has not succeeded, so there are no results.",
    ),
    "RUN_WORKER_FAILED": (
        "Pemadanan gagal berulang kali di unit. Hubungi operator unit.",
        "The run failed repeatedly at the unit. Ask the unit's operator.",
    ),
    "FIELD_INVALID": (
        "Unit menolak isi permintaan ({field}).",
        "The unit refused a field of the request ({field}).",
    ),
    "REQUEST_ID_REUSED": (
        "Nomor permintaan itu sudah dipakai untuk permintaan lain. Hapus pekerjaan yang tertunda "
        "di folder jobs, lalu ulangi.",
        "The request id was used for another request. Delete the pending job in the jobs folder "
        "and repeat.",
    ),
    "PAGE_TOKEN_INVALID": ("Penanda halaman tidak sah.", "The page token is invalid."),
    "DEADLINE_REQUIRED": (
        "Panggilan tanpa batas waktu ditolak.",
        "A call without a deadline was refused.",
    ),
    "STORAGE_FULL": (
        "Penyimpanan unit penuh. Yang sudah diterima tidak hilang; coba lagi nanti.",
        "The unit's storage is full. Nothing acknowledged was lost; try again later.",
    ),
    "STORAGE_SHARE_EXCEEDED": (
        "Himpunan data instansi ini pada alur itu sudah memakai bagian simpanannya di unit "
        "({used} dari {limit} byte). Hapus yang tidak dipakai lagi (padan runs delete), lalu "
        "ulangi.",
        "This agency's datasets in the flow have used their share of the unit's storage ({used} "
        "of {limit} bytes). Delete what is no longer needed (padan runs delete), then repeat.",
    ),
    "SHUTTING_DOWN": (
        "Unit sedang dimatikan. Ulangi perintah yang sama nanti untuk melanjutkan.",
        "The unit is shutting down. Repeat the same command later to go on.",
    ),
    "INTERNAL": (
        "Terjadi cacat pada unit. Sebutkan nomor kejadian {incident} kepada operatornya.",
        "There is a defect in the unit. Give its operator the incident number {incident}.",
    ),
    "TOO_MANY_CALLS": (
        "Instansi Anda sedang menjalankan terlalu banyak panggilan sekaligus (batas {limit}). "
        "Tunggu salah satunya selesai, lalu ulangi.",
        "Your agency has too many calls under way at once (limit {limit}). Wait for one to end, "
        "then repeat.",
    ),
    "LIST_NOT_FOUND": (
        "Daftar elemen itu tidak ada di penyedia, atau bukan milik instansi ini.",
        "The provider has no such list of elements, or it is not this agency's.",
    ),
    "ELEMENTS_INVALID": (
        "Penyedia menolak elemen yang tidak sah. Samakan versi Padan, lalu ulangi.",
        "The provider refused an invalid element. Use the same version of Padan and repeat.",
    ),
    "CHUNK_NOT_COMMITTED": (
        "Elemen yang dikirim bukan yang dikomitmenkan. Hapus pekerjaan yang tertunda di folder "
        "jobs, lalu ulangi.",
        "The elements sent are not those committed to. Delete the pending job in the jobs folder "
        "and repeat.",
    ),
    "EVALUATIONS_EXHAUSTED": (
        "Kunci epoch ini sudah mencapai batas {limit} evaluasi. Penyedia perlu menerbitkan tabel "
        "epoch berikutnya.",
        "The epoch's key has reached its limit of {limit} evaluations. The provider has to publish "
        "a table of the next epoch.",
    ),
    "TABLE_NOT_FOUND": (
        "Penyedia belum menerbitkan tabel itu untuk alur ini.",
        "The provider has not published that table for this flow.",
    ),
    "TABLE_EXPIRED": (
        "Masa berlaku tabel penyedia sudah habis. Ulangi perintah yang sama untuk mengunduh yang "
        "baru.",
        "The provider's table has expired. Repeat the same command to download the new one.",
    ),
    "RELEASE_NOT_FOUND": (
        "Rilis itu belum diterbitkan, atau sudah dihapus. Lihat padan release list.",
        "That release was not published yet, or was erased. See padan release list.",
    ),
    "RELEASE_OUT_OF_ORDER": (
        "Sementara itu rilis lain diterbitkan; berikutnya versi {version}. Ulangi perintahnya.",
        "Another release was published meanwhile; the next is version {version}. Repeat the "
        "command.",
    ),
    "RELEASE_LIMIT_EXCEEDED": (
        "Batas rilis menurut perjanjian terlampaui: {limit} ({article}).",
        "The agreement's limit of releases is exceeded: {limit} ({article}).",
    ),
    "RELEASE_CORRUPT": (
        "Rilis rusak di perjalanan; tidak ada yang disimpan. Ulangi perintahnya.",
        "The release was damaged on its way; nothing was kept. Repeat the command.",
    ),
}


class _Gaps(dict[str, str]):
    """Metadata with a dash for what the server left out."""

    def __missing__(self, key: str) -> str:
        return "–"


def explain(reason: str, metadata: Mapping[str, str]) -> str:
    """The sentence for ``reason``, naming agreement, flow and article where they are known."""
    texts = _TEXTS.get(reason)
    if texts is None:
        return t(
            f"Unit pemadanan menolak dengan alasan yang tidak dikenal klien ini ({reason}). "
            "Perbarui Padan.",
            f"The linkage unit refused for a reason unknown to this client ({reason}). "
            "Update Padan.",
        )
    place = " / ".join(metadata[k] for k in ("agreement", "flow") if k in metadata)
    text = t(*texts).format_map(_Gaps(metadata)).replace(" (–)", "")
    return f"{text} [{place}: {reason}]" if place else f"{text} [{reason}]"


def known_reasons() -> frozenset[str]:
    """The reasons that have a text; a test compares them with error_reason.proto."""
    return frozenset(_TEXTS)

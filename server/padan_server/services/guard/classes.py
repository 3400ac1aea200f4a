"""The classes of calls: what a party does in one of them takes nothing from the others.

Spec: ``proto/spec/30-unit-mode.md``, "Fairness".
"""

from __future__ import annotations

from enum import StrEnum


class CallClass(StrEnum):
    """What a call is for; also the label of its metrics."""

    REAL_TIME = "real_time"
    BATCH = "batch"
    UPLOAD = "upload"
    WATCH = "watch"
    ADMINISTRATION = "administration"
    #: What stops a flow must get through however busy its parties keep the server.
    URGENT = "urgent"


_OF_METHOD = {
    "AgreementService/SuspendAgreement": CallClass.URGENT,
    "AgreementService/ResumeAgreement": CallClass.URGENT,
    "ConfirmationService/ConfirmRecords": CallClass.REAL_TIME,
    "DirectService/CreateBlindedList": CallClass.REAL_TIME,
    "DirectService/EvaluateElements": CallClass.REAL_TIME,
    "DirectService/EvaluateElementStream": CallClass.BATCH,
    "DirectService/DownloadLabelTable": CallClass.BATCH,
    "RunService/CreateRun": CallClass.BATCH,
    "RunService/StreamResults": CallClass.BATCH,
    "ReleaseService/DownloadRelease": CallClass.BATCH,
    "DatasetService/CommitDataset": CallClass.BATCH,
    "DatasetService/DeleteDataset": CallClass.BATCH,
    "DatasetService/UploadTable": CallClass.UPLOAD,
    "ReleaseService/CreateRelease": CallClass.UPLOAD,
    "RunService/WatchRun": CallClass.WATCH,
    "Operations/WaitOperation": CallClass.WATCH,
}

#: Calls that work for minutes at files of national size: no other may wait for their end.
_LASTING = frozenset({"DatasetService/CommitDataset", "DatasetService/DeleteDataset"})


def class_of(method: str) -> CallClass:
    """The class of a method by its full name; what no class names is administration."""
    return _OF_METHOD.get(_name(method), CallClass.ADMINISTRATION)


def takes_turns(method: str) -> bool:
    """Whether only so many calls of it compute at once: not where it waits, or lasts."""
    return class_of(method) is not CallClass.WATCH and _name(method) not in _LASTING


def _name(method: str) -> str:
    """Service and method of a full name, without the package."""
    return method.rpartition(".")[2]

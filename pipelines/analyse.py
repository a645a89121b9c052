"""From stored manifestations to a report: classify what is new, count, find, write."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from configs.schema import Municipality, Taxonomy, lenses_of
from models.records import Window
from pipelines.aggregate import aggregate
from pipelines.classify import Progress, classify_window
from pipelines.counted import Counted
from pipelines.demands.figures import count_demands
from pipelines.demands.propose import propose
from pipelines.discover import discover
from pipelines.duplicates import update_clusters
from pipelines.lenses import look_at_window
from pipelines.places import place_window
from pipelines.report.gather import gather
from pipelines.report.page import write_report
from pipelines.searching import index_labels, index_texts
from pipelines.store.model_versions import keep_model
from pipelines.store.write import Store

if TYPE_CHECKING:
    from nlp.classifier import Classifier


@dataclass(frozen=True, slots=True)
class Subject:
    """Which run, whose window, under which taxonomy."""

    store: Store
    run_id: str
    municipality: Municipality
    window: Window
    taxonomy: Taxonomy


@dataclass(frozen=True, slots=True)
class Analysis:
    """How much was classified, by which model, and how much the window holds and gives."""

    model_version: str
    classified: int
    in_window: int
    findings: int


def classify_and_count(subject: Subject, progress: Progress) -> Analysis:
    """Classify the window's new texts with the municipality's model, and count all of them."""
    from nlp.classifier import Classifier  # heavy: only who classifies waits

    classifier = Classifier.load(subject.municipality.model)
    classified = classify_window(
        subject.store,
        subject.run_id,
        subject.municipality,
        subject.window,
        subject.taxonomy.version,
        classifier,
        progress,
    )
    return count_window(subject, classifier, classified)


def count_window(subject: Subject, classifier: "Classifier", classified: int) -> Analysis:
    """Count what the window holds classified, and find what stands out in it."""
    counted = counted_by(subject, classifier.model_version)
    said = classifier.manifest.model_dump(mode="json")
    keep_model(subject.store.engine, classifier.model_version, said)
    measured = {
        task: errors
        for task, errors in classifier.manifest.errors.items()
        if task not in subject.municipality.model.tasks  # another model answers, errors unknown
    }
    update_clusters(subject.store, subject.municipality)
    place_window(subject.store, subject.municipality, subject.window)
    index_texts(subject.store.engine, subject.municipality.code)
    look_at_window(subject.store, subject.municipality, counted.lenses, subject.window)
    index_labels(subject.store.engine, counted.basis)
    in_window = aggregate(subject.store, counted, measured)
    findings = discover(subject.store, counted, subject.taxonomy, classifier)
    versions = (classifier.model_version, subject.taxonomy.version)
    propose(subject.store, subject.municipality, subject.window, versions)
    count_demands(subject.store, counted)
    return Analysis(classifier.model_version, classified, in_window, findings)


def counted_by(subject: Subject, model_version: str) -> Counted:
    """Return what an aggregation of the subject is about."""
    return Counted(
        subject.run_id,
        subject.municipality,
        subject.window,
        model_version,
        subject.taxonomy.version,
        lenses_of(subject.municipality, subject.taxonomy),
    )


def report_run(subject: Subject, folder: Path) -> Path:
    """Write the run's report and return the path of its Spanish page."""
    data = gather(subject.store.engine, subject.run_id, subject.municipality, subject.taxonomy)
    return write_report(data, folder)

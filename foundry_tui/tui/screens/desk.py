"""What opens over the workspace, each with what it needs; and what is told there without being asked.

The screens are imported when they are first opened: few sessions open all, and all have a first frame.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.screen import Screen

from foundry_tui.domain.conversations import SavedPrompt
from foundry_tui.domain.downloads import Download
from foundry_tui.domain.engine import Capability, EndpointKind, EngineInfo
from foundry_tui.domain.errors import EngineError, StorageProblem
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.resources import GpuSamples
from foundry_tui.services.client import FetchEnd, JobKind
from foundry_tui.services.model_care import ModelCare
from foundry_tui.services.opened import Services
from foundry_tui.tui.notices import complain, tell
from foundry_tui.tui.panes.chat import ChatPane

if TYPE_CHECKING:
    from foundry_tui.services.bench.state import BenchState
    from foundry_tui.tui.screens.bench.draft import BenchDraft
    from foundry_tui.tui.screens.bench.plan import BenchPlanScreen
    from foundry_tui.tui.screens.bench.race import RacePlan
    from foundry_tui.tui.screens.beside.opening import BesideOpening
    from foundry_tui.tui.screens.download_offer import DownloadOfferScreen
    from foundry_tui.tui.screens.scoring.start import ScoringStartScreen
    from foundry_tui.tui.screens.validation import Checked

__all__ = ["Desk"]

_OWN = "own"
_NO_DISK = "The models lie on the server's own disk: nothing can be fetched onto it from here"
_OF_THIS_MACHINE = (EndpointKind.MANAGED, EndpointKind.SCRIPTED)


class Desk:
    """Opens the screens that belong to ``home`` and gives each what it needs."""

    def __init__(self, home: Screen[None], services: Services) -> None:
        self._home = home
        self._services = services
        self._checked: Checked | None = None
        self._draft: BenchDraft | None = None
        self._key_name: str | None = None
        self._annotator = ""
        self._beside: BesideOpening | None = None
        self.place = services.setup.where

    async def tell_revivals(self) -> None:
        """Tell when the engine was restarted by itself, to see what is new."""
        async for revived in self._services.client.revived.watch():
            if revived is None:
                continue
            for problem in revived.problems:
                tell(self._home, problem, is_warning=True)
            if not revived.problems and revived.wish.model_ids:
                tell(self._home, f"The engine sees what is new: {', '.join(sorted(revived.wish.model_ids))}")

    async def tell_lost_writes(self) -> None:
        """Tell when something that was said could not be kept, once for each reason."""
        told: str | None = None
        async for problem in self._services.recorder.problem.watch():
            if problem is not None and str(problem) != told:
                complain(self._home, problem)
            told = None if problem is None else str(problem)

    def conversations(self, chat: ChatPane) -> None:
        """List, search and reopen what was said."""
        from foundry_tui.tui.screens.conversations import ConversationChosen, ConversationsScreen

        def take(chosen: ConversationChosen | None) -> None:
            if chosen is not None:
                chat.open_conversation(chosen.conversation_id, chosen.turn_id)

        services = self._services
        screen = ConversationsScreen(
            services.conversations,
            open_id=services.dialogue.conversation.id,
            is_answering=chat.is_generating,
            changes=services.recorder.changes,
        )
        self._home.app.push_screen(screen, take)

    def prompts(self, chat: ChatPane, show: Callable[[], None]) -> None:
        """Pick a saved prompt, or save the one that is being written."""
        from foundry_tui.tui.screens.prompts import PromptsScreen

        def take(prompt: SavedPrompt | None) -> None:
            if prompt is not None:
                chat.composer.prompt.put(prompt.text)
                show()

        self._home.app.push_screen(PromptsScreen(self._services.prompts, chat.composer.prompt.text), take)

    def attach(self, chat: ChatPane) -> None:
        """Send a text file along with the next prompt."""
        from foundry_tui.tui.screens.paths import PathPurpose, PathScreen

        def take(path: str | None) -> None:
            if path is not None:
                chat.composer.attach_path(path)

        screen = PathScreen(
            "Attach a text file", "It goes along with your next prompt", purpose=PathPurpose.READ
        )
        self._home.app.push_screen(screen, take)

    def offer_called(self, model_id: str) -> None:
        """Offer what is called so for download, if it is listed."""
        if (model := self._services.client.catalog.value.find(model_id)) is not None:
            self.offer(model)

    async def detail(self, model_id: str) -> None:
        """Show everything that is known of a model, and what is to be expected of it."""
        from foundry_tui.tui.screens.overlay import DetailScreen

        services, client = self._services, self._services.client
        if (model := client.catalog.value.find(model_id)) is None:
            return
        prediction = None
        with suppress(StorageProblem):  # what is not known of earlier runs is not shown
            (prediction,) = await services.bench.predictions.of([model])
        need, report = await client.memory.weigh(model), client.load_reports.get(model.id)
        self._home.app.push_screen(DetailScreen(model, report, need, prediction))

    def offer(self, model: ModelVariant) -> None:
        """Show what a download would take and mean, and begin it if that is wanted."""
        care, info = self._services.care, self._services.client.engine_info
        if info is not None and info.can(Capability.DOWNLOAD):
            self._offer_fetch(model, info)
            return
        if info is not None and (care is None or info.kind not in _OF_THIS_MACHINE):
            tell(self._home, _no_fetch_words(info), is_warning=True)
            return
        if care is None:
            tell(self._home, _NO_DISK, is_warning=True)
            return

        def told(entry: Download | None) -> None:
            if entry is not None:
                tell(self._home, f"{entry.model_id} is in the queue of downloads: F8 shows it")

        care.downloads.start()
        self._home.app.push_screen(self._offer(care, model), told)

    def downloads(self) -> None:
        """Show the queue, or what the server downloads for itself."""
        from foundry_tui.tui.screens.downloads import DownloadsScreen

        care, info = self._services.care, self._services.client.engine_info
        if self._fetched_ids() or (care is None and info is not None and info.can(Capability.DOWNLOAD)):
            self._show_fetches(None)
            return
        if care is None:
            words = _NO_DISK if info is None else _no_fetch_words(info)
            tell(self._home, words, is_warning=True)
            return
        care.downloads.start()
        screen = DownloadsScreen(
            care.downloads,
            runner=care.runner,
            find=lambda model_id: self._services.client.catalog.value.find(model_id),
            offer=lambda model: self._offer(care, model),
            unix_ms=_unix_ms,
        )
        self._home.app.push_screen(screen)

    def bench(self, marked: Sequence[str], active: str | None, *, is_plain: bool) -> None:
        """Show the benchmark under way; a new one takes the marked models, else those of before, else one."""
        from foundry_tui.tui.screens.bench.draft import BenchDraft
        from foundry_tui.tui.screens.bench.screen import BenchScreen

        def keep(draft: BenchDraft) -> None:
            self._draft = draft

        def plan() -> "BenchPlanScreen":
            draft = self._draft or BenchDraft()
            model_ids = tuple(marked) or draft.models or ((active,) if active is not None else ())
            return self._plan_page(replace(draft, models=model_ids), keep=keep)

        self._home.app.push_screen(
            BenchScreen(
                self._services.bench,
                plan=plan,
                score=self._score_page,
                scores=self._services.scores,
                choose=lambda run_ids: self.choose(run_ids, is_plain=is_plain),
                is_plain=is_plain,
            )
        )

    def choose(self, run_ids: Sequence[str], *, is_plain: bool) -> None:
        """Choose among the models of these runs, or of the newest one where none is named."""
        from foundry_tui.tui.screens.choose.screen import ChooseScreen

        services = self._services
        if services.bench.is_running:
            tell(self._home, "a benchmark is under way: to draw resamples beside it would disturb it")
            return
        screen = ChooseScreen(services.bench.store, services.scores, run_ids, is_plain=is_plain)
        self._home.app.push_screen(screen)

    def beside(self, chat: ChatPane, marked: Sequence[str], active: str | None) -> None:
        """Ask what is written of several models: of the marked ones, else of those of before."""
        from foundry_tui.tui.screens.beside.opening import BesideOpening

        if self._services.bench.is_running:
            tell(self._home, "a benchmark is under way: models can be asked side by side when it has ended")
            return
        if chat.is_generating:
            tell(self._home, "an answer is being made: wait, or stop it with Esc", is_warning=True)
            return
        if self._beside is None:
            self._beside = BesideOpening(
                self._services,
                chat,
                models=self._models_here,
                annotator=lambda: self._annotator,
                keep=self._keep_annotator,
            )
        self._beside.open(tuple(marked), active)

    async def race(self, model_id: str, *, is_plain: bool) -> None:
        """Plan a race of the variants of its alias, and show the benchmark once it was begun."""
        from foundry_tui.services.bench.race import race_of
        from foundry_tui.tui.screens.bench.race import lone_words, planned_race

        services, models = self._services, self._services.client.catalog.value.models
        race = race_of(models, model_id)
        if race is None:
            return
        if services.bench.is_running:
            tell(self._home, "a benchmark is under way: one more can begin when it has ended")
            return
        if not race.is_one:
            tell(self._home, lone_words(race))
            return

        def begun(run_id: str | None) -> None:
            if run_id is not None:
                self.bench((), None, is_plain=is_plain)

        draft, plan = await planned_race(services, race, offer=self.offer)
        # What one plans otherwise stays as it was.
        self._home.app.push_screen(self._plan_page(draft, keep=lambda _: None, race=plan), begun)

    def resources(self, *, is_plain: bool) -> None:
        """Show what is used of the machine over time, what happened meanwhile, and which model took what."""
        from foundry_tui.services.reclaim import Reclaim
        from foundry_tui.tui.screens.resources import ResourcesScreen

        services = self._services
        host = Reclaim(services.client, services.sampler)
        screen = ResourcesScreen(
            services.client.chronicle,
            sample=lambda: services.sampler.samples.value,
            state=lambda: services.client.engine_state,
            is_measuring=lambda: services.bench.is_running,
            obstacle=host.obstacle,
            reclaim=host.run,
            cost=lambda: services.sampler.cost.share,
            is_plain=is_plain,
        )
        self._home.app.push_screen(screen)

    def log(self) -> None:
        """Show what the app and the engine logged."""
        from foundry_tui.tui.screens.log import LogScreen

        self._home.app.push_screen(LogScreen(self._services.log))

    def endpoints(self) -> None:
        """Choose where models run."""
        from foundry_tui.tui.screens.endpoints import EndpointsScreen, OwnEngine

        services = self._services
        own = OwnEngine(
            key=_OWN,
            title="Managed runtime",
            words="Downloads and runs models on this machine.",
            use=lambda: self._use(None, None),
        )
        screen = EndpointsScreen(
            services.client, services.discovery, own=(own,), current=self._current, connect=self._use
        )
        self._home.app.push_screen(screen)

    def connect(self, model_id: str | None) -> None:
        """Show how other programs use what runs."""
        from foundry_tui.tui.screens.connect import ConnectScreen

        screen = ConnectScreen(
            self._services.client,
            model_id=model_id,
            key_env=lambda: self._key_name,
            pinned_port=lambda: self._services.setup.port,
            warmth=self._services.keep_warm.warmth,
        )
        self._home.app.push_screen(screen)

    def providers(self) -> None:
        """Show and fetch execution providers."""
        from foundry_tui.tui.screens.providers import ProvidersScreen

        def gpu() -> GpuSamples | None:
            sample = self._services.sampler.samples.value
            return None if sample is None else sample.gpu

        self._home.app.push_screen(ProvidersScreen(self._services.client, gpu=gpu))

    def validate(self) -> None:
        """Check every target model."""
        from foundry_tui.services.validation import Validation
        from foundry_tui.tui.screens.validation import Checked, ValidationScreen

        services = self._services
        self._checked = self._checked or Checked()
        screen = ValidationScreen(
            Validation(services.client, services.setup.chat),
            targets=services.targets,
            source="models.json",
            jobs=services.client.jobs,
            checked=self._checked,
        )
        self._home.app.push_screen(screen)

    def _plan_page(
        self, draft: "BenchDraft", *, keep: Callable[["BenchDraft"], None], race: "RacePlan | None" = None
    ) -> "BenchPlanScreen":
        from foundry_tui.tui.screens.bench.plan import BenchPlanScreen

        services = self._services
        return BenchPlanScreen(
            models=self._models_here(),
            prompts=services.bench_prompts,
            sets=services.bench_sets,
            draft=draft,
            store=services.bench.store,
            begin=services.bench.begin,
            keep=keep,
            targets=services.bench_targets,
            predict=services.bench.predictions.of,
            race=race,
        )

    def _score_page(self, state: "BenchState") -> "ScoringStartScreen":
        from foundry_tui.tui.screens.scoring.start import ScoringStartScreen, ToScore

        services = self._services
        what = ToScore(
            store=services.scores,
            judgements=services.judgements,
            run=state.run,
            requests=tuple(state.requests),
            rubric=services.rubric,
        )
        return ScoringStartScreen(what, annotator=self._annotator, keep=self._keep_annotator)

    def _keep_annotator(self, annotator: str) -> None:
        self._annotator = annotator

    def _models_here(self) -> list[ModelVariant]:
        return [model for model in self._services.client.catalog.value.models if _is_here(model)]

    def _offer(self, care: ModelCare, model: ModelVariant) -> "DownloadOfferScreen":
        from foundry_tui.tui.screens.download_offer import DownloadOfferScreen

        need = self._services.client.memory.offered(model, self._services.sampler.samples.value)
        return DownloadOfferScreen(
            model, downloads=care.downloads, licenses=care.licenses, need=need, unix_ms=_unix_ms
        )

    def _offer_fetch(self, model: ModelVariant, info: EngineInfo) -> None:
        """Ask before the server downloads for itself; what it downloads already is shown instead."""
        if model.id in self._fetched_ids():
            self._show_fetches(model.id)
            return
        from foundry_tui.tui.screens.fetch_offer import FetchOfferScreen

        def begin(is_wanted: bool | None) -> None:
            if is_wanted:
                self._home.run_worker(self._fetch(model.id), group="fetch")

        screen = FetchOfferScreen(model, server=info, licenses=self._services.licenses)
        self._home.app.push_screen(screen, begin)

    async def _fetch(self, model_id: str) -> None:
        from foundry_tui.reports.fetching import ended_words, stopped_words

        tell(self._home, f"The server downloads {model_id}: F8 shows it")
        try:
            end = await self._services.client.fetch(model_id)
        except EngineError as error:
            complain(self._home, error)
        else:
            tell(self._home, ended_words(model_id) if end is FetchEnd.DONE else stopped_words(model_id))

    def _show_fetches(self, model_id: str | None) -> None:
        from foundry_tui.tui.screens.fetches import FetchesScreen

        screen = FetchesScreen(self._services.client, model_id=model_id, unix_ms=_unix_ms)
        self._home.app.push_screen(screen)

    def _fetched_ids(self) -> set[str | None]:
        return {job.model_id for job in self._services.client.jobs.value if job.kind is JobKind.FETCH}

    async def _use(self, url: str | None, key_name: str | None) -> EngineInfo:
        info = await self._services.connect(url, key_name)
        self._key_name = key_name
        self.place = info.url if url is not None and info.url is not None else "managed runtime"
        return info

    def _current(self) -> str:
        info = self._services.client.engine_info
        is_own = info is None or info.kind is EndpointKind.MANAGED or info.url is None
        return _OWN if is_own or info is None or info.url is None else info.url


def _no_fetch_words(info: EngineInfo) -> str:
    from foundry_tui.reports.fetching import no_fetch_words

    return no_fetch_words(info)


def _is_here(model: ModelVariant) -> bool:
    """Whether it can be asked without a download; where nobody knows, it can be tried."""
    return model.is_cached is not False or bool(model.is_loaded)


def _unix_ms() -> int:
    return time.time_ns() // 1_000_000

"""Which tile comes next."""

from hdgan.artifacts.annotation_set import SPLITS
from hdgan.web.dealing import dealt_tiles
from hdgan.web.teaching import by_teaching, following
from hdgan.web.tiles import ShownTile
from tests.web.page_world import GOAL


def tiles(*suggested: int | None) -> list[ShownTile]:
    return [ShownTile(f"t{i}", 8, 8, place) for i, place in enumerate(suggested)]


def test_least_certain_tiles_come_first_then_suggested_ones() -> None:
    ranked = by_teaching(tiles(None, 1, 0, None), {"t3": 0.5, "t0": 0.1})

    assert [name for name, _ in ranked] == ["t3", "t0", "t2", "t1"]


def test_who_skips_every_tile_sees_every_tile() -> None:
    ranked = by_teaching(tiles(2, 1, 0, None), {})

    seen, after = [], None
    for _ in range(4):
        found = following(ranked, after)
        assert found is not None
        after = found[0]
        seen.append(after)

    assert sorted(seen) == ["t0", "t1", "t2", "t3"]


def test_after_the_last_tile_nothing_is_left() -> None:
    assert following(by_teaching(tiles(0), {}), "t0") is None
    assert following([], None) is None


def test_a_deal_fills_the_goal_before_it_exceeds_it() -> None:
    dealt = dealt_tiles([f"t{i}" for i in range(7)], {}, GOAL)

    counts = {split: list(dealt.values()).count(split) for split in SPLITS}
    assert sum(counts.values()) == 7
    assert all(counts[split] >= GOAL[split] for split in SPLITS)

"""Files of content: what must be durable before a commit may name one."""

from pathlib import Path

from mailnode.mail.content import Content
from mailnode.spool.contents import Contents, Files


class _NotedFiles(Files):
    """Real files; notes what was made durable."""

    def __init__(self) -> None:
        self.synced: list[Path] = []

    def sync(self, path: Path) -> None:
        """Note it."""
        self.synced.append(path)
        super().sync(path)


def _take(folder: Path, contents: Contents, queue_id: str) -> Path:
    (folder / "incoming").mkdir(exist_ok=True)
    path = folder / "incoming" / queue_id
    path.write_bytes(b"x")
    taken, _ = contents.take(Content(b"", path, 1), queue_id)
    assert taken.path is not None
    return taken.path


def test_every_name_on_the_way_to_a_file_is_durable(tmp_path: Path) -> None:
    """The octets, the file's name, its shard's and that of the folder around are synced, the octets before the name."""
    files = _NotedFiles()
    path = _take(tmp_path, Contents(tmp_path, files), "q1")
    assert set(files.synced) == {tmp_path / "incoming" / "q1", path.parent, path.parent.parent, tmp_path}
    assert files.synced.index(tmp_path / "incoming" / "q1") < files.synced.index(path.parent)


def test_a_folder_of_an_earlier_life_is_made_durable_once(tmp_path: Path) -> None:
    """Who made the folder may have died before its name was durable: the first file of a life makes sure."""
    _take(tmp_path, Contents(tmp_path, Files()), "q1")
    files = _NotedFiles()
    contents = Contents(tmp_path, files)
    contents.drop([str(one.relative_to(tmp_path)) for one in (tmp_path / "content").glob("*/*")])
    shard = _take(tmp_path, contents, "q1").parent
    assert {shard, shard.parent, tmp_path} <= set(files.synced)
    files.synced.clear()
    contents.drop([str(one.relative_to(tmp_path)) for one in shard.iterdir()])
    _take(tmp_path, contents, "q1")
    assert files.synced == [tmp_path / "incoming" / "q1", shard]

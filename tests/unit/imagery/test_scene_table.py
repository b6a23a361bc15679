"""Tables of scenes, as programs and people write them."""

import logging

import pytest

from aerial_kedro.errors import AerialError
from aerial_kedro.imagery.scene_list import ListedScene, SceneList
from aerial_kedro.imagery.scene_table import read_delimited, scenes_of_table


def read(content: bytes, name: str = "scenes.csv") -> SceneList:
    return scenes_of_table(*read_delimited(content, name), name)


WANTED = (ListedScene(href="a.tif", year=2018), ListedScene(href="/x/b 1.tif"))


@pytest.mark.parametrize(
    "text",
    [
        "href,year\na.tif,2018\n/x/b 1.tif,\n",
        "HREF;Year\na.tif;2018\n/x/b 1.tif;\n",
        "Path\tDate\na.tif\t2018-06-23\n/x/b 1.tif\t\n",
        "sep=;\r\nFile Name;Date\r\na.tif;23.06.2018\r\n/x/b 1.tif;\r\n;\r\n",
        '"fid","location","year","note"\n1,"a.tif","2018","x, y"\n2,"/x/b 1.tif","NULL",""\n',
        "id, Location , SrcImgDate\n1,a.tif,20180623\n2,/x/b 1.tif,\n",
        "href,datetime\n\na.tif,2018/06/23 00:00:00\n,\n/x/b 1.tif\n",
        "href,year\na.tif,2018,,\n/x/b 1.tif,\n",
        "href,year\na.tif,\na.tif,2018\n/x/b 1.tif,\na.tif,\n",
        "filepath,year\n /vsicurl/a.tif ,2018.0\n/x/b 1.tif,nan\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_columns_separators_and_encodings(text: str, encoding: str) -> None:
    assert read(text.encode(encoding)).scenes == WANTED


def test_a_plain_list_of_paths_needs_no_heading() -> None:
    found = read(b'a.tif\n"/x/b, 1.tif"\n\nc.TIFF\n', "list.txt")
    assert [scene.href for scene in found.scenes] == ["a.tif", "/x/b, 1.tif", "c.TIFF"]


def test_what_is_read_and_what_is_left_out_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        found = read(b"name,location,year\nx,a.tif,2018\ny,,2018\nz,a.tif,2018\n")
    assert len(found.scenes) == 1
    assert caplog.messages == [
        "scenes.csv: scenes from its column 'location', years from 'year'; not read: name",
        "scenes.csv: 1 row(s) without an address and 1 that repeat one were left out",
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"\xff\xfe", "it is empty"),
        (b"href\nFor\xeat.tif\n", "not UTF-8.*CSV UTF-8"),
        (b"name,when\nx,2018\n", "no column of addresses; there are: name, when.*href"),
        (b"href,year\nx.tif,soon\n", "row 1: 'soon' in the column 'year' holds no year"),
        (b"href,year\nx.tif,23.06.18\n", "no year of four digits"),
        (b"href,year\nx.tif,2018\nx.tif,2016\n", "row 2: x.tif is of 2016, and of 2018"),
        (b"href\na.tif\n/x/b, 1.tif\n", "row 2: it has 2 values for 1 column.*into quotes"),
        (b"href;year\n/x/b; 1.tif;2018\n", "row 1: it has 3 values for 2 column"),
        (b"href,year\nx.tif,1900\n", "row 1: year=1900: give a number greater"),
        (b"href\nhttps://h/a.tif?se=1&sig=SECRET\n", "row 1: .*is signed"),
    ],
)
def test_what_makes_no_list_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(AerialError, match=reason) as caught:
        read(content)
    assert "SECRET" not in str(caught.value)
    assert "scenes_root=scenes.csv" in str(caught.value)

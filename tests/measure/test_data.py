"""Data sets on disk: miniature folders in the exact public layouts."""

import json
from importlib.resources import files

import cv2
import h5py
import numpy as np
import pytest
from PIL import Image
from pyarrow import csv
from pyarrow import parquet as pq

import clipxai as cx
from clipxai.measure import annotations
from clipxai.measure.bench import Bench
from clipxai.measure.data import LAYOUTS, dataset, read_classes

SIZE = (6, 8)  # height, width


def photo(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 255, (*SIZE, 3), dtype=np.uint8))


def palette_png(path, values):
    """An indexed PNG whose colours are not its indices, as VOC's are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(values.astype(np.uint8), mode="P")
    image.putpalette([(37 * n) % 256 for n in range(768)])
    image.save(path)


def annotation(**places):
    values = np.zeros(SIZE, int)
    for value, place in places.items():
        values[place] = int(value[1:])
    return values


TOP, LEFT, CORNER = np.s_[:2], np.s_[3:, :3], np.s_[4:, 6:]


def masks_of(data, sample):
    return {data.classes[label]: mask for label, mask in zip(sample.labels, sample.masks)}


def are_files(data, name, *paths):
    return data.files(name) == tuple(data.root / path for path in paths) and all(
        file.is_file() for file in data.files(name)
    )


def is_at(mask, place):
    return np.array_equal(mask, annotation(v1=place).astype(bool))


@pytest.fixture
def voc(tmp_path):
    root = tmp_path / "VOCdevkit/VOC2012"
    photo(root / "JPEGImages/2007_000033.jpg")
    photo(root / "JPEGImages/2007_000042.jpg")
    palette_png(
        root / "SegmentationClass/2007_000033.png", annotation(v1=TOP, v15=LEFT, v255=CORNER)
    )
    palette_png(root / "SegmentationClass/2007_000042.png", annotation())
    (root / "ImageSets/Segmentation").mkdir(parents=True)
    (root / "ImageSets/Segmentation/val.txt").write_text("2007_000033\n2007_000042\n")
    return root


def test_voc(voc):
    data = dataset(voc)
    assert (
        data.name == "voc2012"
        and data.ids == ("2007_000033", "2007_000042")
        and len(data.classes) == 20
    )
    sample = data.read("2007_000033")
    found = masks_of(data, sample)
    assert (
        list(found) == ["aeroplane", "person"]
        and is_at(found["aeroplane"], TOP)
        and is_at(found["person"], LEFT)
    )
    assert is_at(sample.ignore, CORNER) and sample.image.name == "2007_000033.jpg"
    assert are_files(
        data, "2007_000033", "JPEGImages/2007_000033.jpg", "SegmentationClass/2007_000033.png"
    )
    assert data.read("2007_000042").labels == () and data.prompts[14] == "a photo of a person."


def test_pascal_context(tmp_path):
    photo(tmp_path / "JPEGImages/2008_000002.jpg")
    palette_png(
        tmp_path / "SegmentationClassContext/2008_000002.png", annotation(v59=TOP, v23=LEFT)
    )
    (tmp_path / "ImageSets/SegmentationContext").mkdir(parents=True)
    (tmp_path / "ImageSets/SegmentationContext/val.txt").write_text("2008_000002\n")
    data = dataset(tmp_path)
    found = masks_of(data, data.read("2008_000002"))
    assert data.name == "pascal-context" and len(data.classes) == 59
    assert (
        list(found) == ["dog", "wood"] and is_at(found["wood"], TOP) and is_at(found["dog"], LEFT)
    )


def coco(root, images):
    root.mkdir(exist_ok=True)
    photo(root / images / "000000000139.jpg")
    square = {
        "iscrowd": 0,
        "image_id": 139,
        "segmentation": [[0, 0, 7, 0, 7, 1, 0, 1]],
        "category_id": 18,
        "bbox": [],
        "area": 1,
        "id": 1,
    }
    other = {**square, "segmentation": [[0, 3, 2, 3, 2, 5, 0, 5]], "category_id": 90, "id": 2}
    # crowds: runs of pixels down the columns
    runs = np.flatnonzero(np.diff([0, *annotation(v1=CORNER).T.ravel(), 0]))
    crowd = {
        **square,
        "iscrowd": 1,
        "category_id": 1,
        "id": 3,
        "segmentation": {
            "size": list(SIZE),
            "counts": np.diff([0, *runs, SIZE[0] * SIZE[1]]).tolist(),
        },
    }
    told = {
        "images": [
            {"id": 139, "file_name": "000000000139.jpg", "height": SIZE[0], "width": SIZE[1]}
        ],
        "annotations": [square, other, crowd],
        "categories": [],
    }
    (root / "annotations").mkdir(exist_ok=True)
    (root / "annotations/instances_val2017.json").write_text(json.dumps(told))


@pytest.mark.parametrize("images", ["val2017", "images/val2017"])
def test_coco(tmp_path, images):
    coco(tmp_path, images)
    data = dataset(tmp_path)
    assert data.name == "coco2017" and data.ids == ("139",) and len(data.classes) == 80
    sample = data.read("139")
    found = masks_of(data, sample)
    assert (
        list(found) == ["dog", "toothbrush"]
        and is_at(found["dog"], TOP)
        and is_at(found["toothbrush"], LEFT)
    )
    assert is_at(sample.ignore, CORNER)
    assert are_files(
        data, "139", f"{images}/000000000139.jpg", "annotations/instances_val2017.json"
    )


COCO = "annotations/instances_val2017.json"


def told_otherwise(root, change):
    told = json.loads((root / COCO).read_text())
    change(told)
    (root / COCO).write_text(json.dumps(told))


def picture(**values):
    return lambda told: told["images"][0].update(values)


def outline(at=0, **values):
    return lambda told: told["annotations"][at].update(values)


def polygon(*points):
    return outline(segmentation=[list(points)])


def runs(*counts):
    return outline(2, segmentation={"size": list(SIZE), "counts": list(counts)})


DAMAGE = {
    "no pictures": (lambda told: told.pop("images"), "'images' is missing"),
    "pictures in words": (lambda told: told.update(images="all"), "images is 'all', a str"),
    "a picture of nothing": (lambda told: told["images"].append(None), "a picture is 'None'"),
    "a picture without name": (lambda told: told["images"][0].pop("file_name"), "'file_name'"),
    "an absolute name": (picture(file_name="/etc/x.png"), "is no name of a file within"),
    "a name above": (picture(file_name="../../x.png"), "is no name of a file within"),
    "a name above, Windows": (picture(file_name="..\\x.png"), "is no name of a file within"),
    "a drive": (picture(file_name="C:x.png"), "is no name of a file within"),
    "a name that is a number": (picture(file_name=3), "is no name of a file within"),
    "a name with a zero": (picture(file_name="a\0b"), "is no name of a file within"),
    "a height of nothing": (picture(height=0), "height='0', but a whole number from 1"),
    "a width in words": (picture(width="8"), "width='8', but a whole number from 1"),
    "a giant picture": (picture(width=10**6, height=10**6), "is beyond Pillow's guard"),
    "an annotation of nothing": (lambda told: told["annotations"].append([]), "an annotation is"),
    "an outline of nobody": (outline(image_id=140), "of picture 140, which is not listed"),
    "a class in words": (outline(category_id="dog"), "category_id='dog'"),
    "no outline": (outline(segmentation=None), "segmentation is 'None'"),
    "NaN": (polygon(0, 0, float("nan"), 1, 3, 3), "a polygon reaches nan…nan, but the picture"),
    "infinity": (polygon(0, 0, float("inf"), 1, 3, 3), "a polygon reaches 0…inf, but the picture"),
    "far away": (polygon(0, 0, 2e9, 1, 3, 3), r"a polygon reaches 0…2e\+09, but the picture"),
    "half a point": (polygon(0, 0, 1), "but x, y, x, y … are expected"),
    "no point": (polygon(), "but x, y, x, y … are expected"),
    "points in words": (polygon("a", "b"), "but x, y, x, y … are expected"),
    "a point in a point": (polygon([0], [1]), "but x, y, x, y … are expected"),
    "endless runs": (runs(0, 10**12), "runs of 1,000,000,000,000 pixels, but the picture is 6x8"),
    "a run too few": (runs(0, 47), "runs of 47 pixels, but the picture is 6x8"),
    "a run backwards": (runs(-1, 49), "a run='-1', but a whole number from 0"),
    "compressed runs": (outline(2, segmentation={"counts": "PP`0"}), "counts is 'PP`0', a str"),
    "no runs": (outline(2, segmentation={}), "'counts' is missing"),
}


@pytest.mark.parametrize(("damage", "match"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_list_is_one_line_that_names_it(damage, match, tmp_path):
    coco(tmp_path, "val2017")
    told_otherwise(tmp_path, damage)
    with pytest.raises(ValueError, match=f"{COCO} cannot be read as annotations: .*{match}"):
        dataset(tmp_path).read("139")


@pytest.mark.parametrize("text", ["", "[]", "{", "null", "5", "[" * 100_000, '{"images": 1}'])
def test_a_list_that_is_none(text, tmp_path):
    coco(tmp_path, "val2017")
    (tmp_path / COCO).write_text(text)
    with pytest.raises(ValueError, match=f"{COCO} cannot be read as annotations: "):
        dataset(tmp_path)


def test_a_list_without_end_is_not_read(tmp_path):
    coco(tmp_path, "val2017")
    with (tmp_path / COCO).open("ab") as opened:
        opened.truncate(2 << 30)
    with pytest.raises(ValueError, match="it has more than 1,073,741,824 bytes"):
        dataset(tmp_path)


def test_more_masks_than_memory(tmp_path, monkeypatch, voc):
    monkeypatch.setattr(annotations, "MOST_MASKS", 95)
    coco(tmp_path / "coco", "val2017")
    with pytest.raises(ValueError, match="3 masks of 6x8 pixels are more than 95 values"):
        dataset(tmp_path / "coco").read("139")
    with pytest.raises(ValueError, match="000033.png .*2 masks of 6x8 pixels are more than 95"):
        dataset(voc).read("2007_000033")


def test_coco_stuff_and_a_folder_that_holds_two(tmp_path):
    photo(tmp_path / "images/val2017/000000000139.jpg")
    palette_png(
        tmp_path / "annotations/val2017/000000000139.png",
        annotation(v156=TOP, v17=LEFT, v255=CORNER),
    )
    # mmsegmentation leaves these beside
    palette_png(tmp_path / "annotations/val2017/000000000139_labelTrainIds.png", annotation())
    data = dataset(tmp_path)
    found = masks_of(data, data.read("000000000139"))
    assert data.name == "coco-stuff" and data.ids == ("000000000139",) and len(data.classes) == 171
    assert {"sky", "dog"} < set(found) and is_at(found["sky"], TOP) and is_at(found["dog"], LEFT)
    coco(tmp_path, "images/val2017")
    with pytest.raises(ValueError, match="holds coco2017 and coco-stuff: say which with --layout"):
        dataset(tmp_path)
    assert dataset(tmp_path, layout="coco2017").read("139").labels


def imagenet_s(root, count):
    synsets = [line.split(":")[0] for line in LISTED][:count]
    for number, synset in enumerate(synsets, 1):
        values = annotation(v1=TOP, v2=CORNER) * 0
        values[TOP], values[CORNER] = number, 1000
        png = root / f"validation-segmentation/{synset}/ILSVRC2012_val_{number:08}.png"
        photo(root / f"validation/{synset}/ILSVRC2012_val_{number:08}.JPEG")
        png.parent.mkdir(parents=True)
        Image.fromarray(
            np.stack([values % 256, values // 256, values * 0], axis=-1).astype(np.uint8)
        ).save(png)
    return synsets


LISTED = [f"{name}:" for name in read_classes(files("clipxai.data") / "imagenet.txt")]


def test_imagenet_s(tmp_path):
    synsets = imagenet_s(tmp_path, 300)  # class numbers need two bytes
    data = dataset(tmp_path)
    last = f"{synsets[-1]}/ILSVRC2012_val_00000300"
    sample = data.read(last)
    (name,) = masks_of(data, sample)
    words = read_classes(files("clipxai.data") / "imagenet.txt")
    assert (
        data.name == "imagenet-s"
        and len(data.ids) == 300
        and last in data.ids
        and name == words[synsets[-1]]
    )
    assert is_at(sample.masks[0], TOP) and is_at(sample.ignore, CORNER)
    assert are_files(data, last, f"validation/{last}.JPEG", f"validation-segmentation/{last}.png")


def test_imagenet_s_with_a_folder_missing(tmp_path):
    imagenet_s(tmp_path, 7)
    with pytest.raises(
        ValueError, match="7 folders in validation-segmentation, but ImageNet-S has 50, 300 or 919"
    ):
        dataset(tmp_path)


@pytest.fixture
def gtsegs(tmp_path):
    """MATLAB 7.3: cells are references, axes are reversed, masks lie in a cell within the cell."""
    with h5py.File(tmp_path / "gtsegs_ijcv.mat", "w") as file:
        images, masks = (
            file.create_dataset(f"value/{name}", (2, 1), dtype=h5py.ref_dtype)
            for name in ("img", "gt")
        )
        for n in range(2):
            image = np.random.default_rng(n).integers(0, 255, (30, 40, 3), dtype=np.uint8)
            mask = np.zeros((30, 40), np.uint8)
            mask[:15, :10] = 1
            images[n, 0] = file.create_dataset(f"#refs#/img{n}", data=image.transpose(2, 1, 0)).ref
            inner = file.create_dataset(f"#refs#/cell{n}", (1, 1), dtype=h5py.ref_dtype)
            inner[0, 0] = file.create_dataset(f"#refs#/mask{n}", data=mask.T).ref
            masks[n, 0] = inner.ref
    return tmp_path


def test_imagenet_segmentation(gtsegs):
    for where in (gtsegs, gtsegs / "gtsegs_ijcv.mat"):
        data = dataset(where)
        sample = data.read("1")
        assert (
            data.name == "imagenet-segmentation"
            and data.ids == ("0", "1")
            and len(data.classes) == 1000
        )
        assert data.files("1") == (gtsegs / "gtsegs_ijcv.mat",)
        np.testing.assert_array_equal(
            sample.image, np.random.default_rng(1).integers(0, 255, (30, 40, 3), dtype=np.uint8)
        )
        assert sample.labels is None and sample.masks.shape == (1, 224, 224)
        assert sample.masks[0, :112, :56].all() and sample.masks.sum() == 112 * 56


def in_cells(root, change):
    """Something else in the place of the first picture."""
    with h5py.File(root / "gtsegs_ijcv.mat", "a") as file:
        change(file)


def elsewhere(file):
    file["value/img"][0, 0] = file.create_dataset(
        "out", (3, 40, 30), dtype="u1", external=[("/etc/passwd", 0, 3600)]
    ).ref


def linked(file):
    del file["value/img"]
    file["value/img"] = h5py.ExternalLink("/etc/other.h5", "x")


def giant(file):
    file["value/img"][0, 0] = file.create_dataset(
        "giant", (3, 10**6, 10**6), dtype="u1", chunks=(1, 100, 100)
    ).ref


def in_floats(file):
    file["value/img"][0, 0] = file.create_dataset("floats", (3, 4, 4), dtype="f8").ref


def a_folder(file):
    file["value/img"][0, 0] = file.create_group("folder").ref


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (elsewhere, "a cell lies in another file"),
        (linked, "value/img is missing, or lies in another file"),
        (giant, "a cell is said to hold 3000000000000 values"),
        (in_floats, r"is float64 \(3, 4, 4\), not bytes"),
        (a_folder, "a cell is a Group, not a data set"),
    ],
)
def test_cells_that_lead_elsewhere(gtsegs, change, match):
    in_cells(gtsegs, change)
    with pytest.raises(ValueError, match=f"gtsegs_ijcv.mat cannot be read .*{match}"):
        dataset(gtsegs).read("0")


def test_a_file_of_cells_that_is_none(gtsegs):
    (gtsegs / "gtsegs_ijcv.mat").write_bytes(b"MATLAB 5.0 MAT-file" + bytes(200))
    with pytest.raises(ValueError, match="gtsegs_ijcv.mat cannot be read as annotations: "):
        dataset(gtsegs)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0" + bytes(40), "cut", "colours", "huge"],
)
def test_a_damaged_annotation_names_its_file(voc, content, monkeypatch):
    png = voc / "SegmentationClass/2007_000033.png"
    if content == "cut":
        content = png.read_bytes()[:-30]
    elif content == "huge":
        content = png.read_bytes()
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40)
    if content == "colours":
        Image.new("RGB", SIZE[::-1]).save(png)
    else:
        png.write_bytes(content)
    data = dataset(voc)
    with pytest.raises(ValueError, match="2007_000033.png cannot be read as annotations: "):
        data.read("2007_000033")
    png.unlink()
    with pytest.raises(FileNotFoundError, match="2007_000033.png"):
        data.read("2007_000033")


@pytest.mark.parametrize("name", ["../../secret", "/etc/x", "a/../../x"])
def test_a_list_of_names_stays_in_its_folder(voc, name):
    (voc / "ImageSets/Segmentation/val.txt").write_text(f"2007_000033\n{name}\n")
    with pytest.raises(ValueError, match="is no name of a file within .*JPEGImages"):
        dataset(voc)


def test_emoji_world():
    data = dataset("emoji-world")
    scene, sample = cx.scenes.sample(3), data.read("3")
    assert (
        len(data.ids) == 1000
        and len(data.classes) == 110
        and data.prompts[0].startswith("a photo of a")
    )
    assert [data.classes[label] for label in sample.labels] == [
        cx.scenes.noun(name) for name in scene.objects
    ]
    np.testing.assert_array_equal(sample.masks, scene.masks)
    assert data.root is None and data.files("3") == ()


def test_classes_can_be_changed(voc, tmp_path):
    mine = tmp_path / "mine.txt"
    mine.write_text("# only people\n15: a person or two  # comment\n")
    data = dataset(voc, classes=mine)
    assert data.files("2007_000033")[-1] == mine
    assert data.classes == ("a person or two",) and list(
        masks_of(data, data.read("2007_000033"))
    ) == ["a person or two"]
    mine.write_text("15 person\n")
    with pytest.raises(ValueError, match=r"mine.txt, line 1: expected `value: words`.*'15 person'"):
        dataset(voc, classes=mine)
    mine.write_text("person: person\n")
    with pytest.raises(ValueError, match="classes of this data set are numbers, not 'person'"):
        dataset(voc, classes=mine)
    mine.write_bytes(b"15: \xff\n")
    with pytest.raises(
        ValueError, match="mine.txt is not UTF-8 text: invalid start byte at byte 4"
    ):
        dataset(voc, classes=mine)
    mine.write_text("# nothing\n")
    with pytest.raises(ValueError, match="names no class"):
        dataset(voc, classes=mine)
    with pytest.raises(ValueError, match="knows its own classes"):
        dataset("emoji-world", classes=mine)


def test_wrong_folders_are_one_clear_error(tmp_path, voc):
    with pytest.raises(FileNotFoundError, match="no such data: /nowhere"):
        dataset("/nowhere")
    with pytest.raises(
        ValueError, match="expected voc2012: JPEGImages . SegmentationClass .*gtsegs_ijcv.mat"
    ):
        dataset(tmp_path)
    with pytest.raises(ValueError, match="expected coco-stuff: images/val2017"):
        dataset(voc, layout="coco-stuff")
    with pytest.raises(ValueError, match="unknown layout 'voc'; choose one of voc2012"):
        dataset(voc, layout="voc")
    with pytest.raises(FileNotFoundError, match="no such class list: /nowhere.txt"):
        dataset(voc, classes="/nowhere.txt")
    (voc / "ImageSets/Segmentation/val.txt").write_text("")
    with pytest.raises(ValueError, match="no picture with an annotation"):
        dataset(voc)


def test_packaged_class_lists():
    counts = {"voc2012": 20, "pascal-context": 59, "coco": 80, "coco-stuff": 171, "imagenet": 1000}
    assert {layout.classes for layout in LAYOUTS.values()} == set(counts)
    for name, count in counts.items():
        words = read_classes(files("clipxai.data") / f"{name}.txt")
        assert len(words) == count, name
        assert len(set(words.values())) == count or name == "imagenet", name


@pytest.mark.parametrize("metric", ["localisation", "given-labels", "segmentation", "faithfulness"])
def test_masks_of_another_size_than_their_picture(embedded, voc, tmp_path, metric):
    """Whichever data set, before anything is measured; of the same size they are measured."""
    coco(tmp_path, "val2017")
    for data, name, photo_of in (
        (dataset(voc), "2007_000033", voc / "JPEGImages/2007_000033.jpg"),
        (dataset(tmp_path), "139", tmp_path / "val2017/000000000139.jpg"),
    ):
        bench = Bench(embedded, data, ["clip"], [metric], size=32)
        assert bench.measure(name)["scores"]["clip"][metric]
        Image.new("RGB", (2 * SIZE[1], 2 * SIZE[0])).save(photo_of)
        told = rf"{photo_of.name} has 12x16 pixels .* its masks 6x8: .*{data.files(name)[1].name}"
        with pytest.raises(ValueError, match=told):
            bench.measure(name)


def test_a_mask_of_another_size_in_a_cell(gtsegs):
    with h5py.File(gtsegs / "gtsegs_ijcv.mat", "a") as file:
        del file["#refs#/mask0"]
        inner = file["#refs#/cell0"]
        inner[0, 0] = file.create_dataset("#refs#/other", data=np.zeros((30, 40), np.uint8)).ref
    with pytest.raises(ValueError, match="picture 0 is 30x40, but its mask 40x30"):
        dataset(gtsegs).read("0")


def test_one_class_alone_is_refused_before_the_run(embedded, voc, tmp_path):
    one = tmp_path / "one.txt"
    one.write_text("15: person")
    data = dataset(voc, classes=one)
    for metric in ("segmentation", "recognition"):
        with pytest.raises(ValueError, match=f"{metric} lets the classes .* 'person' alone"):
            Bench(embedded, data, ["clip"], ["localisation", metric])
    bench = Bench(embedded, data, ["clip"], ["localisation", "given-labels"])
    assert bench.measure("2007_000033")["scores"]["clip"]["given-labels"]


def test_a_list_of_ones_own(embedded, tmp_path):
    """Each mask comes in two halves, as rows of one label are put together."""
    scenes = {
        name: cx.scenes.compose(["dog", "cat"], seed=seed) for name, seed in (("a", 3), ("b", 5))
    }
    rows = ["path,mask,label,by"]
    for name, scene in scenes.items():
        Image.fromarray(scene.image).save(tmp_path / f"{name}.png")
        for thing, mask in zip(scene.objects, scene.masks):
            halves = np.stack([mask, mask])
            halves[0, : len(mask) // 2] = halves[1, len(mask) // 2 :] = False
            for n, half in enumerate(halves):
                file = tmp_path / f"{name}-{thing}-{n}.png"
                Image.fromarray(np.where(half, 255, 0).astype(np.uint8)).save(file)
                rows.append(f"{name}.png,{file.name},{thing},me")
    table = tmp_path / "mine.csv"
    table.write_text("\n".join(rows))
    data = dataset(table)
    assert (data.ids, data.classes) == (("a.png", "b.png"), ("dog", "cat"))
    sample = data.read("b.png")
    assert sample.labels == (0, 1) and (sample.masks == scenes["b"].masks).all()
    row = Bench(embedded, data, ["clip"], ["localisation"]).measure("b.png")
    assert row["labels"] == [0, 1] and len(row["scores"]["clip"]["localisation"]) == 2
    assert len(row["from"]) == 1 + 2 + 4  # its place; the list and the picture; masks
    # the same picture in other words is no second one, in which the other thing would be absent
    twice = tmp_path / "twice.csv"
    twice.write_text("\n".join([*rows[:3], *(f"./{row}" for row in rows[3:5])]))
    assert dataset(twice).ids == ("a.png",) and dataset(twice).read("a.png").labels == (0, 1)
    words = tmp_path / "classes.txt"
    words.write_text("cat: small cat\nowl: owl\n")
    few = dataset(table, classes=words)
    assert few.classes == ("small cat", "owl") and few.read("a.png").labels == (0,)
    pq.write_table(csv.read_csv(table), tmp_path / "mine.parquet")
    of_parquet = dataset(tmp_path / "mine.parquet")
    assert of_parquet.ids == data.ids and (of_parquet.read("b.png").masks == sample.masks).all()


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("l.txt", "a.png", "names no masks, without which nothing is measured"),
        ("l.csv", "path,label\na.png,dog", "has no column 'mask', but path, label: a bench needs"),
        ("l.csv", "path,mask,label\na.png,m.png,", "row 1 of .*l.csv has no label"),
        ("l.csv", "path,mask,label\na.png,no.png,dog", "row 1 of .*: no such file: no.png"),
        ("l.csv", "path,mask,label\n", "names no picture"),
        ("l.csv", "path,mask,label\na.png,m.png,dog\na.png,n.png,cat", "have 8x8 .* has 9x9"),
        ("l.csv", "path,mask,label\na.png,a.png,dog", "3 colours a pixel"),
    ],
)
def test_a_list_that_does_not_say_what_is_needed(name, text, message, tmp_path):
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "a.png")
    for file, side in (("m.png", 8), ("n.png", 9)):
        Image.fromarray(np.ones((side, side), np.uint8)).save(tmp_path / file)
    (tmp_path / name).write_text(text)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        dataset(tmp_path / name).read("a.png")

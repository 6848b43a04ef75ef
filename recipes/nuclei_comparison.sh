#!/usr/bin/env bash
# Does it help on real nuclei? All arms of `hdgan compare`, 16 and 36 labels, three label draws, tested
# on the images of fold 0, which the shipped generator `nuclei` and its simulated expert have not seen.
#
# usage: recipes/nuclei_comparison.sh [FOLDER] [OPTIONS OF hdgan compare ...]
#        (default runs/nuclei-comparison; five hours of CPU time)
#
# Data: the folder nuclei_brightfield below $HDGAN_DATA (default ../shared/data), as recipes/nuclei.sh
# says. Each command goes on where it was interrupted, and is skipped when its folder is whole.
set -euo pipefail
cd "$(dirname "$0")/.."
data=${HDGAN_DATA:-../shared/data}/nuclei_brightfield
out=${1:-runs/nuclei-comparison}
shift || true
if [ ! -d "$data/image" ]; then
  echo "No images in $data/image. Set HDGAN_DATA to the folder that holds nuclei_brightfield." >&2
  exit 2
fi
scripts/install dev
hdgan=.venv/bin/hdgan
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-PASSIVE}
mkdir -p "$out"
cp recipes/nuclei_classes.json "$out/classes.json"
# Tiles as large as the drawings, so that a label costs the same on either.
$hdgan tile "$data/image" "$out/tiles" --side-px 128 --max-whitespace 1
.venv/bin/python recipes/outlines_to_classes.py "$data/instances" "$out/label-maps"
$hdgan import-annotations "$out/tiles" "$out/label-maps" "$out/real" --classes "$out/classes.json"
.venv/bin/python recipes/shipped_annotations.py nuclei "$out/drawings"

# The generator learned from a tile set of an earlier version, so it is said here that fold 0 is
# the one that it has not seen.
$hdgan compare "$out/real" "$out/comparison" --annotated-samples "$out/drawings/annotations" \
  --folds 0 --counts 16 36 --draws 3 --seeds 1 --num-pairs 200 --classifier-members 4 \
  --steps 600 --batch 8 --crop-px 64 --width 8 --encoder efficientnet-lite0 \
  --arms supervised frozen-features random-forest mean-teacher fixmatch pseudo-label \
  transformation-consistency mixmatch hdgan hdgan+real hdgan-fixmatch all-labels "$@"
.venv/bin/python recipes/comparison_results.py "$out/comparison" > "$out/results.md"
echo "Read $out/comparison/report.html and $out/results.md."

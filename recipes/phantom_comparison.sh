#!/usr/bin/env bash
# Does it help on tissue whose truth is known? All arms of `hdgan compare` on context-coded phantoms
# of 64 pixels, 16 labels, three label draws, three seeds; the exact rule annotates the drawings of
# the shipped generator `phantom`, and the patients of fold 0, which it has not seen, are the test.
#
# usage: recipes/phantom_comparison.sh [FOLDER] [OPTIONS OF hdgan compare ...]
#        (default runs/phantom-comparison; about ten minutes of CPU time)
#
# Each command goes on where it was interrupted, and is skipped when its folder is whole.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-runs/phantom-comparison}
shift || true
scripts/install dev
hdgan=.venv/bin/hdgan
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-PASSIVE}
mkdir -p "$out"
if [ ! -d "$out/drawn" ]; then
  rm -rf "$out/drawn.unfinished"
  .venv/bin/python recipes/draw_phantoms.py "$out/drawn.unfinished" 900 64 --patients 30
  mv "$out/drawn.unfinished" "$out/drawn"
fi
$hdgan tile "$out/drawn/images" "$out/tiles" --patient-pattern '^(patient[0-9]+)_' --stain rose
# All tiles are there to be learned from without labels; 300 of them, ten a patient, have one.
if [ ! -d "$out/labelled" ]; then
  mkdir -p "$out/labelled.unfinished"
  cp "$out"/drawn/labels/patient??_00[0-2]??.png "$out/labelled.unfinished"
  mv "$out/labelled.unfinished" "$out/labelled"
fi
$hdgan import-annotations "$out/tiles" "$out/labelled" "$out/real" \
  --classes recipes/kidney_classes.json
.venv/bin/python recipes/shipped_annotations.py phantom "$out/drawings"

$hdgan compare "$out/real" "$out/comparison" --annotated-samples "$out/drawings/annotations" \
  --folds 0 --counts 16 --draws 3 --seeds 3 --num-pairs 100 --classifier-members 2 \
  --classifier-steps 200 --steps 200 --learning-rate 0.005 --batch 8 --crop-px 32 --width 8 \
  --encoder efficientnet-lite0 --arms supervised frozen-features random-forest mean-teacher fixmatch \
  pseudo-label transformation-consistency mixmatch hdgan hdgan+real hdgan-fixmatch all-labels "$@"
.venv/bin/python recipes/comparison_results.py "$out/comparison" > "$out/results.md"
echo "Read $out/comparison/report.html and $out/results.md."

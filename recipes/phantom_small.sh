#!/usr/bin/env bash
# A small generator of context-coded phantom tissue, 64 pixels: the one that comes with hdgan as
# `phantom`. The exact rule is the expert; the classifier is scored on 16 drawings and on 500 more.
#
# usage: recipes/phantom_small.sh [FOLDER]     (default runs/phantom-small; an hour on one core)
#
# Each command goes on where it was interrupted, and is skipped when its folder is whole. Scores need
# the SqueezeNet in the folder weights below $HDGAN_DATA (default ../shared/data).
set -euo pipefail
cd "$(dirname "$0")/.."
encoder=${HDGAN_DATA:-../shared/data}/weights/squeezenet_v1_1_imagenet.npz
out=${1:-runs/phantom-small}
if [ ! -f "$encoder" ]; then
  echo "There is no $encoder. Set HDGAN_DATA to the folder that holds weights." >&2
  exit 2
fi
scripts/install run
hdgan=.venv/bin/hdgan
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-PASSIVE}
mkdir -p "$out"
if [ ! -d "$out/drawn" ]; then
  rm -rf "$out/drawn.unfinished"
  .venv/bin/python recipes/draw_phantoms.py "$out/drawn.unfinished" 3000 64 --patients 30
  mv "$out/drawn.unfinished" "$out/drawn"
fi
$hdgan tile "$out/drawn/images" "$out/tiles" --patient-pattern '^(patient[0-9]+)_' --stain rose

# The generator, without labels; the patients of fold 0 stay unseen. Tiles at half their size, then as
# they are.
common=(--folds 1 2 3 4 --preset small --augment none --orientation as-is --threads 1
  --channel-base 1024 --channel-max 64)
$hdgan train-generator "$out/tiles" "$out/generator-32" "${common[@]}" --resolution 32 --shrink 2 2 \
  --gamma 1 --kimg 24 --learning-rate 0.004 --snapshot-kimg 3
$hdgan train-generator "$out/tiles" "$out/begun" "${common[@]}" --resolution 64 --gamma 2 \
  --kimg 6 --learning-rate 0.003 --snapshot-kimg 2 --start-from "$out/generator-32"
$hdgan train-generator "$out/tiles" "$out/generator" "${common[@]}" --resolution 64 --gamma 1 \
  --kimg 16 --learning-rate 0.003 --snapshot-kimg 2 --start-from "$out/begun"
$hdgan score-generator "$out/generator" "$out/tiles" "$encoder" "$out/quality" --no-snapshots

# The rule annotates 36 of 500 drawings; and all of 500 others, for the test.
$hdgan sample "$out/generator" "$out/samples" --num-samples 500 --select 36
.venv/bin/python recipes/read_phantoms.py "$out/samples" "$out/read" --stains rose
$hdgan import-annotations "$out/samples" "$out/read" "$out/annotations" --only suggested \
  --split 16 4 16 --classes recipes/kidney_classes.json
$hdgan sample "$out/generator" "$out/more/samples" --num-samples 500 --select 0 --seed 100000
.venv/bin/python recipes/read_phantoms.py "$out/more/samples" "$out/more/read" --stains rose
$hdgan import-annotations "$out/more/samples" "$out/more/read" "$out/more/annotations" \
  --split 0 0 1 --classes recipes/kidney_classes.json

$hdgan train-classifier "$out/annotations" "$out/classifier-default"
$hdgan evaluate "$out/classifier-default" "$out/annotations" "$out/evaluation-default"
$hdgan evaluate "$out/classifier-default" "$out/more/annotations" "$out/more/evaluation-default" \
  --generator "$out/generator"
.venv/bin/python -m recipes.phantom_results "$out" > "$out/results.md"
.venv/bin/python recipes/ship_generator.py "$out/generator" "$out/quality" "$out/annotations" \
  recipes/phantom_card.md "$out/shipped/phantom"
echo "Read $out/results.md and $out/shipped/phantom/card.md."

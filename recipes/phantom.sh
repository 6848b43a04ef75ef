#!/usr/bin/env bash
# Context-coded phantom: a generator of drawn tissue in which glomeruli and vessels share a colour,
# the exact rule as expert, and the classifier scored on 16 drawings and on 500 more.
#
# usage: recipes/phantom.sh [FOLDER]     (default runs/phantom; two hours on one core)
#
# Each command goes on where it was interrupted, and is skipped when its folder is whole.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-runs/phantom}
scripts/install run
hdgan=.venv/bin/hdgan
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-PASSIVE}
mkdir -p "$out"
if [ ! -d "$out/drawn" ]; then
  rm -rf "$out/drawn.unfinished"
  .venv/bin/python recipes/draw_phantoms.py "$out/drawn.unfinished" 890 256
  mv "$out/drawn.unfinished" "$out/drawn"
fi
$hdgan tile "$out/drawn/images" "$out/tiles" --patient-pattern '^(patient[0-9]+)_'

# 64 px of tiles at a quarter of their size, then 128, then 256.
common=(--folds 1 2 3 4 --preset small --augment none --threads 1 --gamma 2)
larger=(--learning-rate 0.002 --start-rate 0.3 --channel-min 16)
$hdgan train-generator "$out/tiles" "$out/generator-64" "${common[@]}" --resolution 64 --shrink 4 4 \
  --kimg 42 --learning-rate 0.004 --channel-max 64 --snapshot-kimg 10
$hdgan train-generator "$out/tiles" "$out/generator-128" "${common[@]}" "${larger[@]}" \
  --start-from "$out/generator-64" --resolution 128 --shrink 2 2 --kimg 12 --snapshot-kimg 4
$hdgan train-generator "$out/tiles" "$out/generator" "${common[@]}" "${larger[@]}" \
  --start-from "$out/generator-128" --resolution 256 --shrink 1 1 --kimg 6 --snapshot-kimg 2

# The rule annotates 36 of 500 drawings; and all of 500 others, for the test.
$hdgan sample "$out/generator" "$out/samples" --num-samples 500 --select 36
.venv/bin/python recipes/read_phantoms.py "$out/samples" "$out/read" \
  --stains rose silver
$hdgan import-annotations "$out/samples" "$out/read" "$out/annotations" --only suggested \
  --split 16 4 16 --classes recipes/kidney_classes.json
$hdgan sample "$out/generator" "$out/more/samples" --num-samples 500 --select 0 --seed 100000
.venv/bin/python recipes/read_phantoms.py "$out/more/samples" "$out/more/read" \
  --stains rose silver
$hdgan import-annotations "$out/more/samples" "$out/more/read" "$out/more/annotations" \
  --split 0 0 1 --classes recipes/kidney_classes.json

$hdgan train-classifier "$out/annotations" "$out/classifier-default"
$hdgan evaluate "$out/classifier-default" "$out/annotations" "$out/evaluation-default"
$hdgan evaluate "$out/classifier-default" "$out/more/annotations" "$out/more/evaluation-default" \
  --generator "$out/generator"
$hdgan train-classifier "$out/annotations" "$out/classifier-paper" --preset paper
$hdgan evaluate "$out/classifier-paper" "$out/annotations" "$out/evaluation-paper"
$hdgan evaluate "$out/classifier-paper" "$out/more/annotations" "$out/more/evaluation-paper" \
  --generator "$out/generator"
$hdgan train-classifier "$out/annotations" "$out/classifier-authors-code" --preset authors-code
$hdgan evaluate "$out/classifier-authors-code" "$out/annotations" "$out/evaluation-authors-code"
$hdgan evaluate "$out/classifier-authors-code" "$out/more/annotations" \
  "$out/more/evaluation-authors-code" --generator "$out/generator"
.venv/bin/python -m recipes.phantom_results "$out" > "$out/results.md"
echo "Read $out/results.md."

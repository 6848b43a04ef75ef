#!/usr/bin/env bash
# Does it help on glomeruli? Six arms of `hdgan compare` on five images of rat kidney whose glomeruli
# are traced, each image tested once, with the shipped generator `kidney`, which has seen no rat.
# Five images of one animal give intervals, and no verdict.
#
# usage: recipes/glomeruli_comparison.sh [FOLDER] [OPTIONS OF hdgan compare ...]
#        (default runs/glomeruli-comparison; about eleven minutes of CPU time)
#
# Data: the folders kidney_glomeruli_roi and kidney_multistain below $HDGAN_DATA (default
# ../shared/data); the first is the public sample of Fred-Oru/Segmenting-Histology-Images on GitHub,
# its traces rasterised, the second as recipes/kidney_card.md says. Each command goes on where it was
# interrupted, and is skipped when its folder is whole.
set -euo pipefail
cd "$(dirname "$0")/.."
data=${HDGAN_DATA:-../shared/data}
out=${1:-runs/glomeruli-comparison}
shift || true
for folder in "$data/kidney_glomeruli_roi" "$data/kidney_multistain"; do
  if [ ! -d "$folder" ]; then
    echo "There is no $folder. Set HDGAN_DATA to the folder above it." >&2
    exit 2
  fi
done
scripts/install dev
hdgan=.venv/bin/hdgan
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-PASSIVE}
mkdir -p "$out/images"
for number in 1 2 3 4 5; do
  cp "$data/kidney_glomeruli_roi/R22 VEGF 2_15.0xC$number.jpg" "$out/images/C$number.jpg"
done
# In the look of the tissue that the generator draws: what is dark stays dark.
if [ ! -d "$out/one-look" ]; then
  rm -rf "$out/one-look.unfinished"
  .venv/bin/python recipes/one_look.py "$out/images" "$data/kidney_multistain/orig_patch_stain_02.png" \
    "$out/one-look.unfinished"
  mv "$out/one-look.unfinished" "$out/one-look"
fi
.venv/bin/python -m recipes.glomeruli_labels "$out/one-look" "$data/kidney_glomeruli_roi" \
  "$out/label-maps"
# Tiles as large as the drawings, so that a label costs the same on either; each image is a patient.
$hdgan tile "$out/one-look" "$out/tiles" --side-px 128 --max-whitespace 1
$hdgan import-annotations "$out/tiles" "$out/label-maps" "$out/real" \
  --classes recipes/kidney_three_classes.json
.venv/bin/python recipes/shipped_annotations.py kidney "$out/drawings"

# The generator learned from another tile set, so it is said here that it has seen none of the folds.
$hdgan compare "$out/real" "$out/comparison" --annotated-samples "$out/drawings/annotations" \
  --folds 0 1 2 3 4 --counts 16 --draws 3 --seeds 1 --num-pairs 200 --classifier-members 2 \
  --classifier-steps 400 --steps 200 --learning-rate 0.005 --batch 8 --crop-px 64 --width 8 \
  --arms supervised fixmatch hdgan hdgan+real hdgan-fixmatch all-labels "$@"
.venv/bin/python recipes/comparison_results.py "$out/comparison" --no-verdict > "$out/results.md"
echo "Read $out/comparison/report.html and $out/results.md."

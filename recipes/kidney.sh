#!/usr/bin/env bash
# The generator `kidney` that comes with hdgan, and its annotated drawings: sixteen images of human
# kidney, in the look of one of them.
#
# usage: recipes/kidney.sh [FOLDER] [NUCLEI]     (default runs/kidney and runs/nuclei; five hours)
#
# Data: the folders kidney_multistain and kidney_glomeruli_ihc below $HDGAN_DATA (default
# ../shared/data); recipes/kidney_card.md says where they can be had. It begins from the generator
# that recipes/nuclei.sh makes in NUCLEI. Each command goes on where it was interrupted, and is
# skipped when its folder is whole.
set -euo pipefail
cd "$(dirname "$0")/.."
data=${HDGAN_DATA:-../shared/data}
out=${1:-runs/kidney}
nuclei=${2:-runs/nuclei}
encoder=$data/weights/squeezenet_v1_1_imagenet.npz
for folder in "$data/kidney_multistain" "$data/kidney_glomeruli_ihc" "$encoder"; do
  if [ ! -e "$folder" ]; then
    echo "There is no $folder. Set HDGAN_DATA to the folder above it." >&2
    exit 2
  fi
done
if [ ! -f "$nuclei/generator-64/manifest.json" ]; then
  echo "There is no generator in $nuclei/generator-64. Run recipes/nuclei.sh $nuclei first." >&2
  exit 2
fi
scripts/install run
hdgan=.venv/bin/hdgan
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-PASSIVE}
mkdir -p "$out/images"
cp "$data"/kidney_multistain/*.png "$data"/kidney_glomeruli_ihc/*.png "$out/images"
if [ ! -d "$out/nuclei-64" ]; then
  rm -rf "$out/nuclei-64.unfinished"
  cp -r "$nuclei/generator-64" "$out/nuclei-64.unfinished"
  mv "$out/nuclei-64.unfinished" "$out/nuclei-64"
fi

# Every image in the look of the PAS image: with each in a stain of its own, a generator learned the
# stains and drew one layout in all of them.
if [ ! -d "$out/one-look" ]; then
  .venv/bin/python recipes/one_look.py "$out/images" "$out/images/orig_patch_stain_02.png" \
    "$out/one-look.unfinished"
  mv "$out/one-look.unfinished" "$out/one-look"
fi
$hdgan tile "$out/one-look" "$out/tiles" --seed 8 --patient-pattern '(?:Nx_|stain_)(\d+)'

# The generator, without labels; fold 4 stays unseen. From nuclei to kidney, both at 64 px (crops at
# a quarter of their size), then on from there, then to 128 px (crops at half their size).
$hdgan train-generator "$out/tiles" "$out/generator-begun" --start-from "$out/nuclei-64" \
  --folds 0 1 2 3 --resolution 64 --shrink 3.5 4.5 --kimg 35 --preset small --batch 4 --gamma 2 \
  --augment flips --snapshot-kimg 5 --threads 1 --seed 8
$hdgan train-generator "$out/tiles" "$out/generator-64" --start-from "$out/generator-begun" \
  --folds 0 1 2 3 --resolution 64 --shrink 3.5 4.5 --kimg 160 --preset small --batch 4 --gamma 2 \
  --augment flips --snapshot-kimg 5 --threads 1 --seed 9
# The generator that comes with hdgan went on here from its weights in half precision, with a new
# discriminator, since the old one had not been kept.
$hdgan train-generator "$out/tiles" "$out/judged-64" --start-from "$out/generator-64" \
  --folds 0 1 2 3 --resolution 64 --shrink 3.5 4.5 --kimg 50 --discriminator-first 60 \
  --preset small --batch 4 --gamma 0.5 --augment flips --snapshot-kimg 0 --threads 1 --seed 8
$hdgan train-generator "$out/tiles" "$out/generator" --start-from "$out/judged-64" \
  --folds 0 1 2 3 --resolution 128 --shrink 1.75 2.25 --channel-min 32 --start-rate 0.1 \
  --noise-from 128 --kimg 56 --preset small --batch 4 --gamma 1 --learning-rate 0.0015 \
  --augment flips --snapshot-kimg 10 --threads 1 --seed 9
$hdgan score-generator "$out/generator" "$out/tiles" "$encoder" "$out/quality" --no-snapshots
$hdgan sample "$out/generator" "$out/samples" --num-samples 500 --truncation 0.7 --select 36

# The simulated expert: a segmenter that learned from real images at half their size, where
# whitespace is what is bright, and glomeruli are outlined by eye. Its own scores on fold 4 are in
# the card.
.venv/bin/python recipes/kidney_labels.py "$out/one-look" recipes/kidney_glomeruli.json \
  "$out/small" "$out/small-labels" --reduce 2
$hdgan tile "$out/small" "$out/small-tiles" --seed 8 --patient-pattern '(?:Nx_|stain_)(\d+)'
$hdgan import-annotations "$out/small-tiles" "$out/small-labels" "$out/real" \
  --classes recipes/kidney_three_classes.json
$hdgan train-segmenter "$out/real" "$out/segmenter" --steps 1500 --batch 8 --crop-px 128 \
  --folds 0 1 2 3
$hdgan evaluate "$out/segmenter" "$out/real" "$out/expert-score" --fold 4
$hdgan segment "$out/segmenter" "$out/samples" "$out/expert"
$hdgan import-annotations "$out/samples" "$out/expert" "$out/annotations" --only suggested \
  --split 16 4 16

# The ensemble on 16 of the 36 annotated drawings, and pairs.
$hdgan train-classifier "$out/annotations" "$out/classifier"
$hdgan evaluate "$out/classifier" "$out/annotations" "$out/evaluation"
$hdgan synthesize "$out/classifier" "$out/pairs" --num-pairs 200
.venv/bin/python -m recipes.kidney_results "$out" > "$out/results.md"
.venv/bin/python recipes/ship_generator.py "$out/generator" "$out/quality" "$out/annotations" \
  recipes/kidney_card.md "$out/shipped/kidney" --tiles "$out/tiles"
echo "Read $out/results.md and $out/shipped/kidney/card.md."

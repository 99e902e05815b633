# nzip builds without a configure step and without lists to keep: every src/*/*.c is the library,
# but src/cli/*.c, which is the command; every tests/*.c, fuzz/*.c and bench/*.c is a program of
# its own.
# The user's CFLAGS come first and ours last, so that exact arithmetic cannot be switched off by
# accident: it is part of the format.
#
#   make                    ./nzip, libnzip.a, libnzip.so
#   make BUILD=build/x CC=clang   a second build, all of it inside build/x
#   make SAN=1              inside build/san, with ASan and UBSan
#   make STATIC=1 CC=aarch64-linux-gnu-gcc BUILD=build/arm64 build/arm64/nzip
CC      ?= cc
CFLAGS  ?= -O3 -g
BUILD   ?= $(if $(SAN),build/san,build)
PREFIX  ?= /usr/local
FUZZ_SECONDS ?= 60
XXHASH_H     ?= /usr/include/xxhash.h

# Products of the plain build go to the top, those of any other build stay in its folder.
OUT := $(if $(filter build,$(BUILD)),,$(BUILD)/)
VERSION = $(shell sed -n 's/.*NZ_VERSION "\(.*\)"/\1/p' src/archive/about.c)

ifdef SAN
# At -O2 the compiler needs minutes for one file.
CFLAGS += -O1 -fno-omit-frame-pointer
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
endif
ifdef FUZZ
SANITIZE := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
endif
FLAGS := -std=gnu11 -Wall -Wextra $(if $(WERROR),-Werror) -fopenmp -fPIC -pthread -Isrc \
	$(SANITIZE) -ffp-contract=off -fno-fast-math
LDLIBS := -lxxhash -lm
ifdef STATIC
# No library of the target machine is needed beside libc: xxhash comes from its header alone.
FLAGS += -static -DXXH_INLINE_ALL= -I$(BUILD)/include
LDLIBS := -lm
PRIVATE := $(BUILD)/include/xxhash.h
endif
COMPILE = $(CC) $(CFLAGS) $(FLAGS)

LIB   := $(patsubst %.c,$(BUILD)/%.o,$(filter-out src/cli/%,$(wildcard src/*.c src/*/*.c)))
CLI   := $(patsubst %.c,$(BUILD)/%.o,$(wildcard src/cli/*.c))
TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/*.c))
BENCHES := $(patsubst bench/%.c,$(BUILD)/bench/%,$(wildcard bench/*.c))
FUZZERS := $(patsubst fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard fuzz/*.c))
PRIORS := $(patsubst %,priors/%.txt,prose markup code data)
SOURCES := $(wildcard src/*.[ch] src/*/*.[ch] tests/*.[ch] tests/lib/*.h fuzz/*.[ch] bench/*.[ch] \
	priors/*.c)

all: $(OUT)nzip $(OUT)libnzip.a $(OUT)libnzip.so

$(OUT)nzip: $(CLI) $(OUT)libnzip.a
	$(COMPILE) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(OUT)libnzip.a: $(LIB)
	rm -f $@ && $(AR) rcs $@ $^
$(OUT)libnzip.so: $(LIB)
	$(COMPILE) $(LDFLAGS) -shared -Wl,-soname,libnzip.so.0 -o $@ $^ $(LDLIBS)
$(BUILD)/src/model/prior_file.o: priors/priors.bin
$(BUILD)/src/model/net_file.o: priors/nets.bin
$(BUILD)/%.o: %.c | $(PRIVATE)
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -c -o $@ $<
$(BUILD)/include/xxhash.h:
	@mkdir -p $(@D)
	cp $(XXHASH_H) $@

# The texts that models start with, as the library holds them: part of the format.
priors: $(BUILD)/priors/pack
	$< $(PRIORS) >priors/priors.bin
# What networks know before a file begins: CORPUS is a folder of files to learn from.
nets: $(BUILD)/priors/train
	$< $(CORPUS) >$(BUILD)/nets.bin
	mv $(BUILD)/nets.bin priors/nets.bin
$(BUILD)/priors/%: $(BUILD)/priors/%.o $(OUT)libnzip.a
	$(COMPILE) $(LDFLAGS) -o $@ $^ $(LDLIBS)

tests: $(TESTS)
$(BUILD)/tests/%: $(BUILD)/tests/%.o $(OUT)libnzip.a
	$(COMPILE) $(LDFLAGS) -o $@ $^ -lcriterion $(LDLIBS)
benches: $(BENCHES)
$(BUILD)/bench/%: $(BUILD)/bench/%.o $(OUT)libnzip.a
	$(COMPILE) $(LDFLAGS) -o $@ $^ $(LDLIBS)
fuzzers: $(FUZZERS)
$(BUILD)/fuzz/%: $(BUILD)/fuzz/%.o $(OUT)libnzip.a
	$(COMPILE) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ $(LDLIBS)

check:
	@tools/packages.sh check
	@tests/check.sh
demo:
	@tools/packages.sh demo
	@$(MAKE) --no-print-directory -s -j"$$(nproc)" nzip BUILD=build
	@tools/demo.sh
bench:
	@tools/packages.sh bench
	@$(MAKE) --no-print-directory -s -j"$$(nproc)" nzip BUILD=build
	@bench/bench.sh
weights-bench:
	@tools/packages.sh weights
	@$(MAKE) --no-print-directory -s -j"$$(nproc)" benches BUILD=build
	@bench/weights.sh
fuzz:
	@tools/packages.sh check
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz.sh
format:
	clang-format -i $(SOURCES)
format-check:
	clang-format --dry-run -Werror $(SOURCES)

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/pkgconfig \
		$(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 755 $(OUT)nzip $(DESTDIR)$(PREFIX)/bin/nzip
	ln -sf nzip $(DESTDIR)$(PREFIX)/bin/nzcat
	ln -sf nzip $(DESTDIR)$(PREFIX)/bin/nunzip
	install -m 644 $(OUT)libnzip.a $(DESTDIR)$(PREFIX)/lib/libnzip.a
	install -m 755 $(OUT)libnzip.so $(DESTDIR)$(PREFIX)/lib/libnzip.so.0
	ln -sf libnzip.so.0 $(DESTDIR)$(PREFIX)/lib/libnzip.so
	install -m 644 src/nz.h $(DESTDIR)$(PREFIX)/include/nz.h
	install -m 644 man/nzip.1 $(DESTDIR)$(PREFIX)/share/man/man1/nzip.1
	ln -sf nzip.1 $(DESTDIR)$(PREFIX)/share/man/man1/nzcat.1
	ln -sf nzip.1 $(DESTDIR)$(PREFIX)/share/man/man1/nunzip.1
	printf '%s\n' 'prefix=$(PREFIX)' 'Name: nzip' 'Description: lossless neural compression' \
		'Version: $(VERSION)' 'Libs: -L$${prefix}/lib -lnzip' \
		'Libs.private: -lxxhash -lm -lgomp -lpthread' 'Cflags: -I$${prefix}/include' \
		> $(DESTDIR)$(PREFIX)/lib/pkgconfig/nzip.pc

clean:
	rm -rf build nzip libnzip.a libnzip.so
help:
	@printf '%s\n' 'make            nzip, libnzip.a, libnzip.so' \
		'make demo       pack a real file and compare with zstd, xz, gzip, bzip2' \
		'make check      everything that must hold, in about ten minutes' \
		'make bench      sizes and times into bench/results (NZ_DATA=folder)' \
		'make weights-bench   the same of checkpoints (NZ_FULL=folder, NZ_PYTHON=python)' \
		'make fuzz       FUZZ_SECONDS=60 for each of fuzz/*.c' \
		'make format-check, make format' \
		'make install    PREFIX=/usr/local DESTDIR=' \
		'make clean' \
		'Variables: CC CFLAGS LDFLAGS BUILD SAN=1 STATIC=1 WERROR=1'

.PHONY: all priors nets tests benches fuzzers check demo bench weights-bench fuzz format format-check install clean help
.SECONDARY:
-include $(LIB:.o=.d) $(CLI:.o=.d) $(wildcard $(BUILD)/tests/*.d $(BUILD)/fuzz/*.d $(BUILD)/bench/*.d $(BUILD)/priors/*.d)

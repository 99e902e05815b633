# nzip builds without a configure step and without lists to keep: every src/*/*.c is the library,
# but src/cli/*.c, which is the command; every tests/*.c, fuzz/*.c and bench/*.c is a program of
# its own.
# The user's CFLAGS come first and ours last, so that exact arithmetic cannot be switched off by
# accident: it is part of the format.
#
#   make                    ./nzip, libnzip.a, libnzip.so
#   make BUILD=build/x CC=clang   a second build, all of it inside build/x
#   make SAN=1              inside build/san, with ASan and UBSan
#   make STATIC=1           build/static/nzip, which needs no library where it runs
#   make SAN=thread CC=clang   inside build/san-thread, with TSan; SAN=memory: with MSan
#   make STATIC=1 CC=aarch64-linux-gnu-gcc BUILD=build/arm64 build/arm64/nzip
CC      ?= cc
CFLAGS  ?= -O3 -g
BUILD   ?= $(if $(SAN),build/san$(addprefix -,$(filter-out 1,$(SAN))),$(if $(STATIC),build/static,build))
PREFIX  ?= /usr/local
FUZZ_SECONDS ?= 60
XXHASH_H     ?= /usr/include/xxhash.h

# Products of the plain build go to the top, those of any other build stay in its folder.
OUT := $(if $(filter build,$(BUILD)),,$(BUILD)/)
VERSION = $(shell sed -n 's/.*NZ_VERSION "\(.*\)"/\1/p' src/archive/about.c)
SONAME  := libnzip.so.0

# Where things are installed, by their GNU names; DESTDIR is put in front of all of them.
prefix     = $(PREFIX)
bindir     = $(prefix)/bin
libdir     = $(prefix)/lib
includedir = $(prefix)/include
datadir    = $(prefix)/share
mandir     = $(datadir)/man
bashdir    = $(datadir)/bash-completion/completions
zshdir     = $(datadir)/zsh/site-functions
fishdir    = $(datadir)/fish/vendor_completions.d

ifdef SAN
# At -O2 the compiler needs minutes for one file.
CFLAGS += -O1 -fno-omit-frame-pointer
BOTH := address,undefined
SANITIZE := -fsanitize=$(if $(filter 1,$(SAN)),$(BOTH),$(SAN)) -fno-sanitize-recover=all
endif
ifdef FUZZ
SANITIZE := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
endif
ifdef COVERAGE
SANITIZE := -fprofile-instr-generate -fcoverage-mapping
endif
# No folder's name gets into a binary, and of the library's names only those in nz.h get out.
FLAGS := -std=gnu11 -Wall -Wextra $(if $(WERROR),-Werror) -fPIC -pthread -Isrc \
	-D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 -fvisibility=hidden -ffile-prefix-map=$(CURDIR)=. \
	$(SANITIZE) -ffp-contract=off -fno-fast-math
# The 387 rounds to 80 bits; kern_float.h refuses it.
ifneq ($(shell printf __i386__ | $(CC) $(CFLAGS) -E -P - | tail -n 1),__i386__)
FLAGS += -msse2 -mfpmath=sse
endif
LDLIBS := -lxxhash -lm
ifdef STATIC
FLAGS += -static
endif
ifneq ($(STATIC)$(filter memory,$(SAN)),)
# No library of the target machine is needed beside libc, and none that MSan does not see: xxhash
# comes from its header alone.
FLAGS += -DXXH_INLINE_ALL= -I$(BUILD)/include
LDLIBS := -lm
PRIVATE := $(BUILD)/include/xxhash.h
endif
CRITERION := -lcriterion
ifneq ($(PLAIN)$(filter thread memory,$(SAN)),)
# Tests in one process, without Criterion.
FLAGS += -Itests/lib/plain
CRITERION :=
endif
ifdef FUZZ
# What models compare is chance, and most of the time: the fuzzer does not watch it.
$(BUILD)/src/backend/%.o $(BUILD)/src/model/%.o $(BUILD)/src/ngram/%.o: \
	FLAGS += -O2 -fno-sanitize-coverage=trace-cmp
endif
COMPILE = $(CC) $(CPPFLAGS) $(CFLAGS) $(FLAGS)

# What nzip bench compares with, where its headers are; the library needs neither.
has = $(shell echo '\#include <$(1)>' | $(CC) -E -x c - >/dev/null 2>&1 && echo yes)
RIVALS := $(if $(STATIC),,$(if $(call has,zstd.h),-DNZ_ZSTD) $(if $(call has,lzma.h),-DNZ_LZMA))
RIVAL_LIBS := $(if $(filter -DNZ_ZSTD,$(RIVALS)),-lzstd) $(if $(filter -DNZ_LZMA,$(RIVALS)),-llzma)

LIB   := $(patsubst %.c,$(BUILD)/%.o,$(filter-out src/cli/%,$(wildcard src/*.c src/*/*.c)))
CLI   := $(patsubst %.c,$(BUILD)/%.o,$(wildcard src/cli/*.c))
TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/*.c))
BENCHES := $(patsubst bench/%.c,$(BUILD)/bench/%,$(wildcard bench/*.c))
FUZZERS := $(patsubst fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard fuzz/*.c))
TORTURERS := $(patsubst %,$(BUILD)/torture/%,nzip torture corrupt)
# What may fail in the command that is tortured: its own calls go through tests/torture/fail.c.
WRAPPED := malloc calloc realloc aligned_alloc mmap strdup strndup fdopen pthread_create
PRIORS := $(patsubst %,priors/%.txt,prose markup code data)
SOURCES := $(wildcard src/*.[ch] src/*/*.[ch] tests/*.[ch] tests/lib/*.[ch] tests/lib/plain/*/*.h \
	tests/torture/*.[ch] fuzz/*.c fuzz/lib/*.h bench/*.[ch] priors/*.c)

all: $(OUT)nzip $(OUT)libnzip.a $(if $(STATIC),,$(OUT)libnzip.so)

$(OUT)nzip: $(CLI) $(OUT)libnzip.a
	$(COMPILE) $(LDFLAGS) -o $@ $^ $(LDLIBS) $(RIVAL_LIBS)
$(BUILD)/src/cli/rivals.o: FLAGS += $(RIVALS)
$(OUT)libnzip.a: $(LIB)
	rm -f $@ && $(AR) rcs $@ $^
$(OUT)libnzip.so: $(LIB) src/nz.map
	$(COMPILE) $(LDFLAGS) -shared -Wl,-soname,$(SONAME) -Wl,--version-script=src/nz.map -o $@ \
		$(LIB) $(LDLIBS)
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

trainers: $(BUILD)/priors/pack $(BUILD)/priors/train
tests: $(TESTS)
$(BUILD)/tests/%: $(BUILD)/tests/%.o $(OUT)libnzip.a
	$(COMPILE) $(LDFLAGS) -o $@ $^ $(CRITERION) $(LDLIBS)
benches: $(BENCHES)
$(BUILD)/bench/%: $(BUILD)/bench/%.o $(OUT)libnzip.a
	$(COMPILE) $(LDFLAGS) -o $@ $^ $(LDLIBS)
fuzzers: $(FUZZERS)
$(BUILD)/fuzz/%: $(BUILD)/fuzz/%.o $(OUT)libnzip.a
	$(COMPILE) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ $(LDLIBS)

torturers: $(TORTURERS)
$(BUILD)/torture/nzip: $(CLI) $(BUILD)/tests/torture/fail.o $(OUT)libnzip.a
	@mkdir -p $(@D)
	$(COMPILE) $(LDFLAGS) $(WRAPPED:%=-Wl,--wrap=%) -o $@ $^ $(LDLIBS) $(RIVAL_LIBS)
$(BUILD)/torture/torture: $(patsubst %,$(BUILD)/tests/torture/%.o,torture plan judge scene run files)
	@mkdir -p $(@D)
	$(COMPILE) $(LDFLAGS) -o $@ $^
$(BUILD)/torture/corrupt: $(patsubst %,$(BUILD)/tests/torture/%.o,corrupt files) $(OUT)libnzip.a
	@mkdir -p $(@D)
	$(COMPILE) $(LDFLAGS) -o $@ $^ $(LDLIBS)

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
coverage:
	@tools/packages.sh coverage
	@tests/coverage.sh
torture:
	@tools/packages.sh check
	@tests/torture.sh
format:
	clang-format -i $(SOURCES)
format-check:
	clang-format --dry-run -Werror $(SOURCES)

# Everything is made first: what is installed needs no compiler any more.
INSTALLED = $(addprefix $(bindir)/,nzip nzcat nunzip) $(includedir)/nz.h \
	$(addprefix $(libdir)/,libnzip.a libnzip.so $(SONAME) libnzip.so.$(VERSION) pkgconfig/nzip.pc) \
	$(addprefix $(mandir)/man1/,nzip.1 nzcat.1 nunzip.1) \
	$(addprefix $(bashdir)/,nzip nzcat nunzip) $(zshdir)/_nzip \
	$(addprefix $(fishdir)/,nzip.fish nzcat.fish nunzip.fish)
PLACE = install -D -m
install: all
	$(PLACE) 755 $(OUT)nzip $(DESTDIR)$(bindir)/nzip
	$(PLACE) 644 $(OUT)libnzip.a $(DESTDIR)$(libdir)/libnzip.a
	$(PLACE) 644 $(OUT)libnzip.so $(DESTDIR)$(libdir)/libnzip.so.$(VERSION)
	ln -sf libnzip.so.$(VERSION) $(DESTDIR)$(libdir)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(libdir)/libnzip.so
	$(PLACE) 644 src/nz.h $(DESTDIR)$(includedir)/nz.h
	$(PLACE) 644 man/nzip.1 $(DESTDIR)$(mandir)/man1/nzip.1
	$(PLACE) 644 completions/nzip.bash $(DESTDIR)$(bashdir)/nzip
	$(PLACE) 644 completions/_nzip $(DESTDIR)$(zshdir)/_nzip
	$(PLACE) 644 completions/nzip.fish $(DESTDIR)$(fishdir)/nzip.fish
	for name in nzcat nunzip; do \
		ln -sf nzip $(DESTDIR)$(bindir)/$$name; \
		ln -sf nzip.1 $(DESTDIR)$(mandir)/man1/$$name.1; \
		ln -sf nzip $(DESTDIR)$(bashdir)/$$name; \
		ln -sf nzip.fish $(DESTDIR)$(fishdir)/$$name.fish; \
	done
	install -d $(DESTDIR)$(libdir)/pkgconfig
	sed -e 's|@prefix@|$(prefix)|; s|@version@|$(VERSION)|' \
		-e 's|@libdir@|$(libdir:$(prefix)/%=$${prefix}/%)|' \
		-e 's|@includedir@|$(includedir:$(prefix)/%=$${prefix}/%)|' tools/nzip.pc.in \
		>$(DESTDIR)$(libdir)/pkgconfig/nzip.pc
uninstall:
	rm -f $(addprefix $(DESTDIR),$(INSTALLED))
deb:
	@tools/packages.sh deb
	dpkg-buildpackage -us -uc -b

clean:
	rm -rf build nzip libnzip.a libnzip.so
help:
	@printf '%s\n' 'make            nzip, libnzip.a, libnzip.so' \
		'make demo       pack a real file and compare with zstd, xz, gzip, bzip2' \
		'make check      everything that must hold, in about ten minutes' \
		'make bench      sizes and times into bench/results (NZ_DATA=folder)' \
		'make weights-bench   the same of checkpoints (NZ_FULL=folder, NZ_PYTHON=python)' \
		'make fuzz       FUZZ_SECONDS=60 for each of fuzz/*.c' \
		'make coverage   what of each decoder the inputs found by make fuzz run' \
		'make torture    every fault and every damage, in about twenty minutes' \
		'make format-check, make format' \
		'make install    PREFIX=/usr/local DESTDIR=, libdir= and the like; make uninstall' \
		'make deb        Debian packages, in the folder above' \
		'make clean' \
		'Variables: CC CFLAGS LDFLAGS BUILD SAN=1|thread|memory STATIC=1 PLAIN=1 WERROR=1'

.PHONY: all priors nets tests trainers benches fuzzers torturers check demo bench weights-bench fuzz coverage torture format \
	format-check install uninstall deb clean help
.SECONDARY:
-include $(LIB:.o=.d) $(CLI:.o=.d) $(wildcard $(BUILD)/tests/*.d $(BUILD)/tests/torture/*.d $(BUILD)/fuzz/*.d $(BUILD)/bench/*.d $(BUILD)/priors/*.d)

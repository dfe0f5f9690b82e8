# Hearthgate. `make help` lists the targets; each does its own set-up.

GO       ?= go
BIN      := bin/hearthgate
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS  := -s -w -X main.version=$(VERSION)
BUILD    := CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)'

# Tools are pinned here, not in go.mod: they are not part of the product.
GOLANGCI_VERSION := v2.15.0
TOOLS    := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/hearthgate/tools
GOLANGCI := $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)

# DESIGN: the seven Linux targets, as GOARCH or GOARCH/variant.
TARGETS  := amd64 arm64 arm/6 arm/7 mips/softfloat mipsle/softfloat riscv64

.PHONY: help run demo build test figures screens soak fuzz lint fmt clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(BIN): FORCE
	@test -e $@ || echo 'building Hearthgate (the first time takes a minute or two)'
	@$(BUILD) -o $@ ./cmd/hearthgate
FORCE:

run: $(BIN) ## build and start the appliance as the user you are
	@$(BIN) run $(ARGS)

demo: $(BIN) ## the whole promise in one process, without a network
	@$(BIN) demo $(ARGS)

build: ## all seven Linux targets into bin/
	@set -e; for t in $(TARGETS); do \
		arch=$${t%/*}; variant=; case $$t in */*) variant=$${t#*/};; esac; \
		out=bin/hearthgate-linux-$$(echo $$t | tr -d / | sed 's/softfloat//'); \
		env GOOS=linux GOARCH=$$arch \
			$$(case $$arch in arm) echo GOARM=$$variant;; mips*) echo GOMIPS=$$variant;; esac) \
			$(BUILD) -o $$out ./cmd/hearthgate; \
		printf '%-34s %5.1f MiB\n' $$out $$(stat -c %s $$out | awk '{print $$1/1048576}'); \
	done

test: ## everything; arranges what it needs, names what it had to leave out
	@GO='$(GO)' scripts/test

figures: ## the figures of docs/figures.md, measured in the lab (root)
	@scripts/lab-packages
	@scripts/lab-homeassistant
	@$(GO) test -count=1 -run '^$$' -bench Pages -benchtime 200x ./webui
	@$(GO) test -count=1 -run '^$$' -bench Figures -benchtime 1x -timeout 30m ./internal/lab/e2e

screens: ## docs/screens, every page in both themes at two widths, looked at by axe (root; some minutes)
	@scripts/lab-packages
	@scripts/lab-axe
	@$(GO) test -count=1 -timeout 20m -run 'TestEveryPage$$' ./internal/lab/e2e -screens $(CURDIR)/docs/screens

soak: ## what takes a quarter of an hour of waiting: openings that are removed count as closed after two looks (root)
	@scripts/lab-packages
	@$(GO) test -count=1 -timeout 40m -v -tags soak -run 'TestAnOpeningThatIsRemoved' ./internal/lab/e2e

fuzz: ## each fuzz test for FUZZTIME (default 30s)
	@GO='$(GO)' scripts/fuzz $(or $(FUZZTIME),30s)

$(GOLANGCI):
	@echo "building golangci-lint $(GOLANGCI_VERSION) (once, takes a few minutes)"
	@mkdir -p $(TOOLS)
	@GOBIN=$(TOOLS)/new $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	@mv $(TOOLS)/new/golangci-lint $@

lint: $(GOLANGCI) ## golangci-lint (gofumpt and gci included), go mod tidiness, shell scripts
	@$(GOLANGCI) run ./...
	@$(GOLANGCI) fmt --diff ./...
	@$(GO) mod tidy -diff
	@scripts/lint-shell

fmt: $(GOLANGCI) ## put every file into the house's format
	@$(GOLANGCI) fmt ./...

clean: ## remove what was built here
	@rm -rf bin

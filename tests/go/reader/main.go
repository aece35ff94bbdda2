// Command reader checks a Testamur log with Go's own transparency-log code (golang.org/x/mod/sumdb), which knows
// nothing of Testamur: the checkpoint's signature, the root that its tiles hash to, and proofs.
//
//	reader <log folder> <verifier key> < claims.json
//
// The folder is in tlog-tiles layout (https://c2sp.org/tlog-tiles): checkpoint, tile/<L>/<N>, tile/entries/<N>.
// Claims are proofs that somebody else made; each must equal the one that Go makes from the tiles, and hold.
// Prints what was established as JSON, with a note in which Go signs the same checkpoint, for the way back.
// Exit status 1 and a sentence on standard error for the first thing that is not so.
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8

type claims struct {
	Inclusion []struct {
		Index  int64       `json:"index"`
		Hashes []tlog.Hash `json:"hashes"`
	} `json:"inclusion"`
	Consistency []struct {
		OldSize int64       `json:"oldSize"`
		OldRoot tlog.Hash   `json:"oldRoot"`
		Hashes  []tlog.Hash `json:"hashes"`
	} `json:"consistency"`
}

type established struct {
	Origin      string    `json:"origin"`
	Size        int64     `json:"size"`
	Root        tlog.Hash `json:"root"`
	Inclusion   int       `json:"inclusion"`
	Consistency int       `json:"consistency"`
	TilesRead   int       `json:"tilesRead"`
	Note        string    `json:"note"`
	Vkey        string    `json:"vkey"`
}

// folder reads tiles for the sumdb code, whose paths carry the tile height: tile/8/<L>/<N> is our tile/<L>/<N>.
type folder struct {
	path string
	read int
}

func (f *folder) Height() int { return tileHeight }

func (f *folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		ours := strings.Replace(t.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(f.path, ours))
		if err != nil {
			return nil, err
		}
		f.read++
		all = append(all, data)
	}
	return all, nil
}

func (f *folder) SaveTiles([]tlog.Tile, [][]byte) {}

// entry reads one entry from its bundle: a sequence of entries, each behind its length in two bytes.
func (f *folder) entry(index, size int64) ([]byte, error) {
	t := tlog.Tile{H: tileHeight, L: 0, N: index >> tileHeight, W: 1 << tileHeight}
	if (t.N+1)<<tileHeight > size {
		t.W = int(size - t.N<<tileHeight)
	}
	ours := strings.Replace(t.Path(), "tile/8/0/", "tile/entries/", 1)
	data, err := os.ReadFile(filepath.Join(f.path, ours))
	if err != nil {
		return nil, err
	}
	for skip := index - t.N<<tileHeight; ; skip-- {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			return nil, fmt.Errorf("%s ends before entry %d", ours, index)
		}
		length := int(binary.BigEndian.Uint16(data))
		if skip == 0 {
			return data[2 : 2+length], nil
		}
		data = data[2+length:]
	}
}

func main() {
	if len(os.Args) != 3 {
		fail("usage: reader <log folder> <verifier key> < claims.json")
	}
	result, err := check(&folder{path: os.Args[1]}, os.Args[2])
	if err != nil {
		fail(err.Error())
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		fail(err.Error())
	}
}

func check(f *folder, vkey string) (*established, error) {
	var claimed claims
	if err := json.NewDecoder(os.Stdin).Decode(&claimed); err != nil {
		return nil, fmt.Errorf("claims: %w", err)
	}
	origin, tree, text, err := openCheckpoint(filepath.Join(f.path, "checkpoint"), vkey)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}

	// TileHashReader proves every hash it hands out into the tree's root.
	hashes := tlog.TileHashReader(tree, f)
	root, err := tlog.TreeHash(tree.N, hashes)
	if err != nil {
		return nil, fmt.Errorf("tiles: %w", err)
	}
	if root != tree.Hash {
		return nil, fmt.Errorf("tiles: they hash to %v, the checkpoint says %v", root, tree.Hash)
	}

	for _, claim := range claimed.Inclusion {
		entry, err := f.entry(claim.Index, tree.N)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", claim.Index, err)
		}
		made, err := tlog.ProveRecord(tree.N, claim.Index, hashes)
		if err != nil {
			return nil, fmt.Errorf("inclusion of %d: %w", claim.Index, err)
		}
		if !equal(made, claim.Hashes) {
			return nil, fmt.Errorf("inclusion of %d: Go proves it with other hashes", claim.Index)
		}
		if err := tlog.CheckRecord(claim.Hashes, tree.N, tree.Hash, claim.Index, tlog.RecordHash(entry)); err != nil {
			return nil, fmt.Errorf("inclusion of %d: %w", claim.Index, err)
		}
	}

	for _, claim := range claimed.Consistency {
		made, err := tlog.ProveTree(tree.N, claim.OldSize, hashes)
		if err != nil {
			return nil, fmt.Errorf("consistency with %d: %w", claim.OldSize, err)
		}
		if !equal(made, claim.Hashes) {
			return nil, fmt.Errorf("consistency with %d: Go proves it with other hashes", claim.OldSize)
		}
		if err := tlog.CheckTree(claim.Hashes, tree.N, tree.Hash, claim.OldSize, claim.OldRoot); err != nil {
			return nil, fmt.Errorf("consistency with %d: %w", claim.OldSize, err)
		}
	}

	signed, signedBy, err := signAgain(text)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return &established{
		Origin: origin, Size: tree.N, Root: tree.Hash, TilesRead: f.read,
		Inclusion: len(claimed.Inclusion), Consistency: len(claimed.Consistency),
		Note: string(signed), Vkey: signedBy,
	}, nil
}

// openCheckpoint verifies the note and reads its three lines. sumdb's own ParseTree wants another first line.
func openCheckpoint(path, vkey string) (origin string, tree tlog.Tree, text string, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", tree, "", err
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return "", tree, "", err
	}
	opened, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		return "", tree, "", err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return "", tree, "", fmt.Errorf("%d lines instead of three", len(lines)-1)
	}
	if lines[0] != verifier.Name() {
		return "", tree, "", fmt.Errorf("origin %q is not the key's name %q", lines[0], verifier.Name())
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return "", tree, "", err
	}
	if tree.Hash, err = tlog.ParseHash(lines[2]); err != nil {
		return "", tree, "", err
	}
	return lines[0], tree, opened.Text, nil
}

// signAgain signs the same text with a key made by Go, so that the other side can verify a note of Go's.
func signAgain(text string) (signed []byte, vkey string, err error) {
	skey, vkey, err := note.GenerateKey(rand.Reader, "example.org/go-reader")
	if err != nil {
		return nil, "", err
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		return nil, "", err
	}
	signed, err = note.Sign(&note.Note{Text: text}, signer)
	return signed, vkey, err
}

func equal(a, b []tlog.Hash) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i][:], b[i][:]) {
			return false
		}
	}
	return true
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, message)
	os.Exit(1)
}

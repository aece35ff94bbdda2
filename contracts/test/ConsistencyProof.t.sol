// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAnchorRegistryErrors} from "../src/IAnchorRegistryErrors.sol";
import {IConsistencyHarness} from "./IConsistencyHarness.sol";
import {EqualLeaves, MerkleModel} from "./MerkleModel.sol";
import {vm} from "./Vm.sol";

/// @dev Field order is that of JSON keys, sorted.
struct Case {
    bool accept;
    bytes32 newRoot;
    uint64 newSize;
    bytes32 oldRoot;
    uint64 oldSize;
    bytes32[] proof;
}

string constant CASE =
    "Case(bool accept,bytes32 newRoot,uint64 newSize,bytes32 oldRoot,uint64 oldSize,bytes32[] proof)";
string constant GENERATED = "contracts/test/generated/consistency.json";

contract ConsistencyProofTest {
    IConsistencyHarness private harness =
        IConsistencyHarness(vm.deployCode("ConsistencyHarness.sol:ConsistencyHarness"));

    // --- every pair m < n <= 64, proven by Python ------------------------------------------------------------------

    function test_EveryPairProvenByPythonIsAccepted() public view {
        Case[] memory cases = _cases(".pairs");
        vm.assertEq(cases.length, 2016);
        for (uint256 i = 0; i < cases.length; ++i) {
            Case memory one = cases[i];
            harness.verify(one.proof, one.oldSize, one.oldRoot, one.newSize, one.newRoot);
        }
    }

    function test_NoPairIsAcceptedWithADamagedProof() public view {
        Case[] memory cases = _cases(".pairs");
        uint256 refused;
        for (uint256 i = 0; i < cases.length; ++i) {
            refused += this.damageOne(cases[i]);
        }
        vm.assertGe(refused, 2016 * 10, "refusals");
    }

    /// @dev A call of its own, so that memory is freed. Returns how many damaged copies were refused.
    function damageOne(Case memory one) external view returns (uint256 refused) {
        bytes32[] memory proof = one.proof;
        for (uint256 i = 0; i < proof.length; ++i) {
            bytes32 kept = proof[i];
            proof[i] = kept ^ bytes32(uint256(1) << ((i * 37 + one.newSize) % 256));
            refused += _refused(one, proof, "a flipped bit");
            proof[i] = kept;
            refused += _refused(one, _without(proof, i), "a missing node");
            if (i + 1 < proof.length) {
                (proof[i], proof[i + 1]) = (proof[i + 1], kept);
                refused += _refused(one, proof, "two nodes swapped");
                (proof[i], proof[i + 1]) = (kept, proof[i]);
            }
        }
        for (uint256 i = 0; i <= proof.length; ++i) {
            refused += _refused(one, _with(proof, i, 0), "a zero node more");
            refused += _refused(one, _with(proof, i, one.oldRoot), "the old root more");
            refused += _refused(one, _with(proof, i, one.newRoot), "the new root more");
        }
        (one.oldRoot, one.newRoot) = (one.newRoot, one.oldRoot);
        refused += _refused(one, proof, "roots swapped");
        (one.oldRoot, one.newRoot) = (one.newRoot, one.oldRoot ^ bytes32(uint256(1)));
        refused += _refused(one, proof, "a wrong old root");
        (one.oldRoot, one.newRoot) = (one.newRoot ^ bytes32(uint256(1)), one.oldRoot);
    }

    function test_WrongSizesAreRefusedWhereTheRfcRefusesThem() public view {
        Case[] memory cases = _cases(".pairs");
        uint256 refused;
        uint256 accepted;
        for (uint256 i = 0; i < cases.length; i += 3) {
            (uint256 no, uint256 yes) = this.resizeOne(cases[i]);
            refused += no;
            accepted += yes;
        }
        vm.assertGe(refused, 672 * 4, "refusals");
        // RFC 9162 leaves room: the nodes right of the fork are opaque, so a proof for 5 leaves is one for 6, 7 and 8
        // of the same root. The log's key signs size and root together, and verifiers compare both.
        vm.assertGe(accepted, 1, "the RFC's own latitude");
    }

    function resizeOne(Case memory one) external view returns (uint256 refused, uint256 accepted) {
        uint64[6] memory olds =
            [one.oldSize - 1, one.oldSize + 1, one.oldSize * 2, one.oldSize, one.oldSize, one.newSize];
        uint64[6] memory news = [one.newSize, one.newSize, one.newSize, one.newSize - 1, one.newSize + 1, one.oldSize];
        for (uint256 i = 0; i < 6; ++i) {
            bool expected = MerkleModel.isConsistent(one.proof, olds[i], one.oldRoot, news[i], one.newRoot);
            bool got = _accepts(one.proof, olds[i], one.oldRoot, news[i], one.newRoot);
            vm.assertTrue(got == expected, "differs from the RFC");
            if (got) ++accepted;
            else ++refused;
        }
    }

    // --- published vectors -----------------------------------------------------------------------------------------

    function test_PublishedVectorsAreAcceptedAndRefusedAsPublished() public {
        Case[] memory cases = _cases(".vectors");
        vm.skip(cases.length == 0, "published vectors not found: set TESTAMUR_VECTORS and run scripts/make_proofs.py");
        uint256 accepted;
        uint256 refused;
        for (uint256 i = 0; i < cases.length; ++i) {
            Case memory one = cases[i];
            // The library is for growth; between equal sizes the vectors ask for equal roots and an empty proof.
            bool got = one.oldSize == one.newSize && one.oldSize != 0
                ? one.oldRoot == one.newRoot && one.proof.length == 0
                : _accepts(one.proof, one.oldSize, one.oldRoot, one.newSize, one.newRoot);
            vm.assertTrue(got == one.accept, "vector");
            if (got) ++accepted;
            else ++refused;
        }
        vm.assertEq(accepted, 6);
        vm.assertEq(refused, 92);
    }

    // --- any size --------------------------------------------------------------------------------------------------

    function testFuzz_HugeTreesAgreeWithTheRfc(uint64 oldSize, uint64 growth, uint8 damage, uint8 where) public view {
        oldSize = uint64(1 + oldSize % (1 << 62));
        uint64 size = oldSize + uint64(1 + (growth % (uint64(1) << uint64(1 + growth % 62))));
        bytes32[] memory complete = EqualLeaves.levels();
        bytes32[] memory proof = EqualLeaves.proof(complete, oldSize, size);
        bytes32 oldRoot = EqualLeaves.root(complete, oldSize);
        bytes32 root = EqualLeaves.root(complete, size);
        harness.verify(proof, oldSize, oldRoot, size, root);
        uint256 at_ = where % (proof.length + 1);
        if (damage % 4 == 0) proof = _with(proof, at_, complete[0]);
        else if (damage % 4 == 1) proof = _without(proof, where % proof.length);
        else if (damage % 4 == 2) proof[where % proof.length] ^= bytes32(uint256(1) << where);
        else (oldSize, size) = (oldSize + where % 3, size + where % 5);
        vm.assertTrue(
            _accepts(proof, oldSize, oldRoot, size, root)
                == MerkleModel.isConsistent(proof, oldSize, oldRoot, size, root),
            "differs from the RFC"
        );
    }

    function testFuzz_NoiseIsRefused(bytes32[] calldata proof, uint64 oldSize, uint64 size, bytes32 a, bytes32 b)
        public
        view
    {
        vm.assertFalse(_accepts(proof, oldSize, a, size, b), "noise");
    }

    function testFuzz_NodeIsSha256BehindThePrefix(bytes32 left, bytes32 right) public view {
        vm.assertEq(harness.node(left, right), MerkleModel.node(left, right));
    }

    // --- refusals say why ------------------------------------------------------------------------------------------

    function test_RevertWhen_NodesAreMissingOrLeftOver() public {
        bytes32[] memory complete = EqualLeaves.levels();
        bytes32[] memory proof = EqualLeaves.proof(complete, 6, 8);
        (bytes32 old6, bytes32 root8) = (EqualLeaves.root(complete, 6), EqualLeaves.root(complete, 8));
        vm.expectRevert(abi.encodeWithSelector(IAnchorRegistryErrors.ProofMalformed.selector, 6, 8, 2));
        harness.verify(_without(proof, 0), 6, old6, 8, root8);
        vm.expectRevert(abi.encodeWithSelector(IAnchorRegistryErrors.ProofMalformed.selector, 6, 8, 4));
        harness.verify(_with(proof, 3, root8), 6, old6, 8, root8);
        vm.expectRevert(abi.encodeWithSelector(IAnchorRegistryErrors.ProofMalformed.selector, 6, 8, 0));
        harness.verify(new bytes32[](0), 6, old6, 8, root8);
        vm.expectRevert(abi.encodeWithSelector(IAnchorRegistryErrors.ProofMalformed.selector, 4, 8, 0));
        harness.verify(new bytes32[](0), 4, complete[2], 8, root8);
    }

    function test_RevertWhen_ThereIsNothingToExtend() public {
        bytes32[] memory none = new bytes32[](0);
        vm.expectRevert(abi.encodeWithSelector(IAnchorRegistryErrors.ProofMalformed.selector, 0, 8, 0));
        harness.verify(none, 0, 0, 8, bytes32(uint256(1)));
        vm.expectRevert(abi.encodeWithSelector(IAnchorRegistryErrors.ProofMalformed.selector, 8, 8, 0));
        harness.verify(none, 8, bytes32(uint256(1)), 8, bytes32(uint256(1)));
    }

    function test_RevertWhen_ARootIsNotWhatTheNodesLeadTo() public {
        bytes32[] memory complete = EqualLeaves.levels();
        bytes32[] memory proof = EqualLeaves.proof(complete, 6, 8);
        bytes32 wrong = bytes32(uint256(7));
        bytes32 root8 = EqualLeaves.root(complete, 8);
        vm.expectRevert(abi.encodeWithSelector(IAnchorRegistryErrors.NotAnExtension.selector, wrong, root8));
        harness.verify(proof, 6, wrong, 8, root8);
    }

    /// @dev A chain without the precompile answers a call to address 2 with success and nothing.
    function test_RevertWhen_ThePrecompileAnswersNothing() public {
        bytes32[] memory complete = EqualLeaves.levels();
        bytes32[] memory proof = EqualLeaves.proof(complete, 6, 8);
        (bytes32 old6, bytes32 root8) = (EqualLeaves.root(complete, 6), EqualLeaves.root(complete, 8));
        vm.mockCall(address(2), "", "");
        vm.expectRevert(IAnchorRegistryErrors.Sha256Failed.selector);
        harness.verify(proof, 6, old6, 8, root8);
        vm.expectRevert(IAnchorRegistryErrors.Sha256Failed.selector);
        harness.node(0, 0);
    }

    function test_RevertWhen_ThePrecompileFails() public {
        bytes32[] memory complete = EqualLeaves.levels();
        bytes32[] memory proof = EqualLeaves.proof(complete, 6, 8);
        (bytes32 old6, bytes32 root8) = (EqualLeaves.root(complete, 6), EqualLeaves.root(complete, 8));
        vm.mockCallRevert(address(2), "", abi.encode(root8));
        vm.expectRevert(IAnchorRegistryErrors.Sha256Failed.selector);
        harness.verify(proof, 6, old6, 8, root8);
    }

    /// @dev With little gas the precompile fails somewhere in the middle. The call must revert, never accept or
    /// compare a half-made root: with exactly the wrong roots only `NotAnExtension` or failure may come back.
    function testFuzz_OutOfGasNeverAccepts(uint16 gas_) public view {
        bytes32[] memory complete = EqualLeaves.levels();
        bytes32[] memory proof = EqualLeaves.proof(complete, 1023, 2047);
        bytes32 wrong = bytes32(uint256(7));
        try harness.verify{gas: 500 + uint256(gas_) % 20_000}(
            proof, 1023, EqualLeaves.root(complete, 1023), 2047, wrong
        ) {
            revert("accepted");
        } catch {}
    }

    // --- helpers ---------------------------------------------------------------------------------------------------

    function _cases(string memory key) private view returns (Case[] memory) {
        return abi.decode(vm.parseJsonTypeArray(vm.readFile(GENERATED), key, CASE), (Case[]));
    }

    function _refused(Case memory one, bytes32[] memory proof, string memory what) private view returns (uint256) {
        vm.assertFalse(_accepts(proof, one.oldSize, one.oldRoot, one.newSize, one.newRoot), what);
        return 1;
    }

    function _accepts(bytes32[] memory proof, uint64 oldSize, bytes32 oldRoot, uint64 size, bytes32 root)
        private
        view
        returns (bool)
    {
        try harness.verify(proof, oldSize, oldRoot, size, root) {
            return true;
        } catch {
            return false;
        }
    }

    function _without(bytes32[] memory proof, uint256 gone) private pure returns (bytes32[] memory shorter) {
        shorter = new bytes32[](proof.length - 1);
        for (uint256 i = 0; i < shorter.length; ++i) {
            shorter[i] = proof[i < gone ? i : i + 1];
        }
    }

    function _with(bytes32[] memory proof, uint256 where, bytes32 value)
        private
        pure
        returns (bytes32[] memory longer)
    {
        longer = new bytes32[](proof.length + 1);
        for (uint256 i = 0; i < longer.length; ++i) {
            longer[i] = i == where ? value : proof[i < where ? i : i - 1];
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAnchorRegistry} from "../src/IAnchorRegistry.sol";
import {IAnchorRegistryErrors as E} from "../src/IAnchorRegistryErrors.sol";
import {IAnchorRegistryEvents as Ev} from "../src/IAnchorRegistryEvents.sol";
import {Case, CASE, GENERATED} from "./ConsistencyProof.t.sol";
import {RegistryTest} from "./RegistryTest.sol";
import {vm} from "./Vm.sol";

contract AnchorTest is RegistryTest {
    function test_TheFirstAnchorNeedsNoProof() public {
        bytes32 root = _root(1205);
        vm.prank(OPERATOR);
        vm.expectEmit(address(registry));
        emit Ev.Anchored(adaLog, 1, 1205, root, 7);
        registry.anchor(adaLog, 0, 1205, root, 7, new bytes32[](0));

        IAnchorRegistry.Log memory record = registry.log(adaLog);
        vm.assertEq(record.root, root);
        vm.assertEq(record.sequence, 1);
        IAnchorRegistry.Anchor memory head = registry.head(adaLog);
        vm.assertEq(head.size, 1205);
        vm.assertEq(head.blockNumber, 1000);
        vm.assertEq(head.timestamp, START);
        vm.assertEq(head.statement, 7);
        vm.assertEq(registry.issuer(ada).statement, 7);
    }

    function test_HistoryKeepsEveryAnchorWithItsTime() public {
        _anchor(adaLog, 0, 5, 1);
        vm.warp(START + 100);
        vm.roll(1007);
        _anchor(adaLog, 5, 12, 2);
        _anchor(adaLog, 12, 13, 2);

        vm.assertEq(registry.log(adaLog).sequence, 3);
        IAnchorRegistry.Anchor memory first = registry.history(adaLog, 1);
        vm.assertEq(first.size, 5);
        vm.assertEq(first.timestamp, START);
        vm.assertEq(first.statement, 1);
        IAnchorRegistry.Anchor memory second = registry.history(adaLog, 2);
        vm.assertEq(second.size, 12);
        vm.assertEq(second.blockNumber, 1007);
        vm.assertEq(second.timestamp, START + 100);
        vm.assertEq(registry.head(adaLog).size, 13);
        vm.assertEq(registry.history(adaLog, 0).size, 0);
        vm.assertEq(registry.history(adaLog, 4).size, 0);
    }

    function test_EveryPairProvenByPythonMovesTheHead() public {
        Case[] memory cases = abi.decode(vm.parseJsonTypeArray(vm.readFile(GENERATED), ".pairs", CASE), (Case[]));
        vm.assertEq(cases.length, 2016);
        uint256 before = vm.snapshotState();
        for (uint256 i = 0; i < cases.length; ++i) {
            this.anchorPair(cases[i]);
            vm.revertToState(before);
        }
    }

    function anchorPair(Case memory one) external {
        vm.prank(OPERATOR);
        registry.anchor(adaLog, 0, one.oldSize, one.oldRoot, 1, new bytes32[](0));
        vm.prank(OPERATOR);
        registry.anchor(adaLog, one.oldSize, one.newSize, one.newRoot, 1, one.proof);
        vm.assertEq(registry.log(adaLog).root, one.newRoot);
    }

    function testFuzz_AnyGrowthIsAnchored(uint64 oldSize, uint64 growth) public {
        oldSize = 1 + oldSize % (1 << 62);
        uint64 size = oldSize + 1 + growth % (1 << 62);
        _anchor(adaLog, 0, oldSize, 1);
        _anchor(adaLog, oldSize, size, 1);
        vm.assertEq(registry.head(adaLog).size, size);
        vm.assertEq(registry.log(adaLog).root, _root(size));
    }

    // --- repeats ---------------------------------------------------------------------------------------------------

    function test_RepeatingTheHeadChangesNothingWhateverTheOldSizeAndProof() public {
        _anchor(adaLog, 0, 5, 1);
        _anchor(adaLog, 5, 9, 2);
        bytes32 root = _root(9);
        bytes32[] memory rubbish = new bytes32[](3);
        vm.warp(START + 1 days);
        for (uint64 oldSize = 0; oldSize < 12; ++oldSize) {
            vm.prank(OPERATOR);
            registry.anchor(adaLog, oldSize, 9, root, 2, rubbish);
        }
        vm.assertEq(registry.log(adaLog).sequence, 2);
        vm.assertEq(registry.head(adaLog).timestamp, START);
    }

    function test_RepeatingTheHeadIsHarmlessAfterClosureAndSuccession() public {
        _anchor(adaLog, 0, 5, 1);
        vm.prank(CONTROLLER);
        registry.openEpoch("ada", 1, OPERATOR, KEY_2, 5);
        _anchor(adaLog, 0, 5, 1);
        vm.prank(CONTROLLER);
        registry.close(ada, 0, 0);
        _anchor(adaLog, 0, 5, 1);
        vm.assertEq(registry.log(adaLog).sequence, 1);
    }

    function test_RevertWhen_AnEmptyLogIsGivenItsEmptyHead() public {
        _expectRefusedAnchor(abi.encodeWithSelector(E.TreeNotGrown.selector, 0, 0), adaLog, 0, 0, 0, 0);
    }

    // --- who -------------------------------------------------------------------------------------------------------

    function test_RevertWhen_TheLogIsUnknown() public {
        _expectRefusedAnchor(abi.encodeWithSelector(E.UnknownLog.selector, ada), ada, 0, 5, _root(5), 1);
    }

    function testFuzz_RevertWhen_TheCallerIsNotTheOperator(address caller) public {
        vm.assume(caller != OPERATOR);
        bytes32 root = _root(5);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(E.NotOperator.selector, adaLog, caller, OPERATOR));
        registry.anchor(adaLog, 0, 5, root, 1, new bytes32[](0));
    }

    function test_RevertWhen_AnotherLogsOperatorAnchors() public {
        vm.prank(COUNCIL);
        registry.admit("bea", "did:web:bea.example", IDENTITY, CONTROLLER, OTHER, KEY);
        bytes32 root = _root(5);
        vm.prank(OTHER);
        vm.expectRevert(abi.encodeWithSelector(E.NotOperator.selector, adaLog, OTHER, OPERATOR));
        registry.anchor(adaLog, 0, 5, root, 1, new bytes32[](0));
    }

    // --- what ------------------------------------------------------------------------------------------------------

    function test_RevertWhen_TheOldSizeIsStale() public {
        _anchor(adaLog, 0, 5, 1);
        bytes memory stale = abi.encodeWithSelector(E.StaleTreeSize.selector, 4, 5);
        _expectRefusedAnchor(stale, adaLog, 4, 9, _root(9), 1);
        stale = abi.encodeWithSelector(E.StaleTreeSize.selector, 0, 5);
        _expectRefusedAnchor(stale, adaLog, 0, 9, _root(9), 1);
        stale = abi.encodeWithSelector(E.StaleTreeSize.selector, 6, 5);
        _expectRefusedAnchor(stale, adaLog, 6, 9, _root(9), 1);
    }

    function test_RevertWhen_TheTreeDoesNotGrow() public {
        _anchor(adaLog, 0, 5, 1);
        _expectRefusedAnchor(abi.encodeWithSelector(E.TreeNotGrown.selector, 4, 5), adaLog, 5, 4, _root(4), 1);
        bytes memory equal = abi.encodeWithSelector(E.TreeNotGrown.selector, 5, 5);
        _expectRefusedAnchor(equal, adaLog, 5, 5, _root(4), 1);
        _expectRefusedAnchor(equal, adaLog, 5, 5, _root(5), 2);
    }

    function test_RevertWhen_TheTreeIsLargerThanOthersCanRead() public {
        uint64 largest = (1 << 63) - 1;
        bytes memory refusal = abi.encodeWithSelector(E.TreeTooLarge.selector, largest + 1, largest);
        _expectRefusedAnchor(refusal, adaLog, 0, largest + 1, bytes32(uint256(1)), 1);
        _anchor(adaLog, 0, largest, 1);
    }

    function test_RevertWhen_TheRootIsZero() public {
        _expectRefusedAnchor(abi.encodeWithSelector(E.ZeroArgument.selector, "root"), adaLog, 0, 5, 0, 1);
    }

    function test_RevertWhen_TheFirstAnchorBringsAProof() public {
        bytes32 root = _root(5);
        vm.prank(OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(E.ProofMalformed.selector, 0, 5, 1));
        registry.anchor(adaLog, 0, 5, root, 1, new bytes32[](1));
    }

    function test_RevertWhen_TheNewTreeIsNotAnExtension() public {
        _anchor(adaLog, 0, 5, 1);
        bytes32 root = ~_root(9);
        _expectRefusedAnchor(abi.encodeWithSelector(E.NotAnExtension.selector, _root(5), root), adaLog, 5, 9, root, 1);
    }

    function test_RevertWhen_TheOldRootOfAnotherTreeIsExtended() public {
        vm.prank(OPERATOR);
        registry.anchor(adaLog, 0, 5, bytes32(uint256(5)), 1, new bytes32[](0));
        bytes memory refusal = abi.encodeWithSelector(E.NotAnExtension.selector, bytes32(uint256(5)), _root(9));
        _expectRefusedAnchor(refusal, adaLog, 5, 9, _root(9), 1);
    }

    // --- statements ------------------------------------------------------------------------------------------------

    function test_RevertWhen_TheStatementFalls() public {
        _expectRefusedAnchor(abi.encodeWithSelector(E.StatementFell.selector, 0, 0), adaLog, 0, 5, _root(5), 0);
        _anchor(adaLog, 0, 5, 7);
        _expectRefusedAnchor(abi.encodeWithSelector(E.StatementFell.selector, 6, 7), adaLog, 5, 9, _root(9), 6);
        _expectRefusedAnchor(abi.encodeWithSelector(E.StatementFell.selector, 0, 7), adaLog, 5, 9, _root(9), 0);
    }

    function test_RevertWhen_TheStatementFallsInTheNextEpoch() public {
        _anchor(adaLog, 0, 5, 7);
        vm.prank(CONTROLLER);
        registry.openEpoch("ada", 1, OPERATOR, KEY_2, 5);
        bytes32 next = registry.logIdOf("ada", 2);
        _expectRefusedAnchor(abi.encodeWithSelector(E.StatementFell.selector, 6, 7), next, 0, 3, _root(3), 6);
        _anchor(next, 0, 3, 7);
    }

    function test_RevertWhen_TheStatementIsHigherThanTimeAllows() public {
        uint32 highest = uint32(registry.highestStatement());
        vm.assertEq(highest, 16_384);
        bytes memory refusal = abi.encodeWithSelector(E.StatementTooHigh.selector, highest + 1, highest);
        _expectRefusedAnchor(refusal, adaLog, 0, 5, _root(5), highest + 1);
        refusal = abi.encodeWithSelector(E.StatementTooHigh.selector, type(uint32).max, highest);
        _expectRefusedAnchor(refusal, adaLog, 0, 5, _root(5), type(uint32).max);
        _anchor(adaLog, 0, 5, highest);
        vm.warp(START + 59);
        refusal = abi.encodeWithSelector(E.StatementTooHigh.selector, highest + 1, highest);
        _expectRefusedAnchor(refusal, adaLog, 5, 6, _root(6), highest + 1);
        vm.warp(START + 60);
        _anchor(adaLog, 5, 6, highest + 1);
    }

    // --- anchorMany ------------------------------------------------------------------------------------------------

    function test_ManyLogsAreAnchoredAtOnce() public {
        (, bytes32 beaLog) = _admit("bea");
        _anchor(adaLog, 0, 5, 1);
        IAnchorRegistry.AnchorCall[] memory calls = new IAnchorRegistry.AnchorCall[](3);
        calls[0] = IAnchorRegistry.AnchorCall(adaLog, 5, 9, _root(9), 1, _proof(5, 9));
        calls[1] = IAnchorRegistry.AnchorCall(beaLog, 0, 3, _root(3), 4, new bytes32[](0));
        calls[2] = IAnchorRegistry.AnchorCall(adaLog, 9, 11, _root(11), 2, _proof(9, 11));
        vm.prank(OPERATOR);
        registry.anchorMany(calls);
        vm.assertEq(registry.head(adaLog).size, 11);
        vm.assertEq(registry.head(adaLog).statement, 2);
        vm.assertEq(registry.head(beaLog).size, 3);
        vm.assertEq(registry.log(adaLog).sequence, 3);
    }

    function test_RevertWhen_OneOfManyIsRefused() public {
        (, bytes32 beaLog) = _admit("bea");
        IAnchorRegistry.AnchorCall[] memory calls = new IAnchorRegistry.AnchorCall[](2);
        calls[0] = IAnchorRegistry.AnchorCall(adaLog, 0, 9, _root(9), 1, new bytes32[](0));
        calls[1] = IAnchorRegistry.AnchorCall(beaLog, 3, 4, _root(4), 1, _proof(3, 4));
        vm.prank(OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(E.StaleTreeSize.selector, 3, 0));
        registry.anchorMany(calls);
        vm.assertEq(registry.log(adaLog).sequence, 0);
    }

    function test_AnEmptyBatchIsNothing() public {
        registry.anchorMany(new IAnchorRegistry.AnchorCall[](0));
    }
}

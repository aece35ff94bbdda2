// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAnchorRegistry} from "../src/IAnchorRegistry.sol";
import {IAnchorRegistryErrors as E} from "../src/IAnchorRegistryErrors.sol";
import {IAnchorRegistryEvents as Ev} from "../src/IAnchorRegistryEvents.sol";
import {RegistryTest} from "./RegistryTest.sol";
import {vm} from "./Vm.sol";

contract LifecycleTest is RegistryTest {
    // --- epochs ----------------------------------------------------------------------------------------------------

    function test_TheNextEpochSupersedesTheLog() public {
        _anchor(adaLog, 0, 100, 3);
        bytes32 next = registry.logIdOf("ada", 2);
        vm.prank(CONTROLLER);
        vm.expectEmit(address(registry));
        emit Ev.LogSuperseded(adaLog, ada, 120);
        vm.expectEmit(address(registry));
        emit Ev.LogOpened(next, ada, 2, OTHER, KEY_2);
        registry.openEpoch("ada", 1, OTHER, KEY_2, 120);

        IAnchorRegistry.Log memory old = registry.log(adaLog);
        vm.assertTrue(old.superseded, "superseded");
        vm.assertEq(old.goodSize, 120);
        vm.assertEq(old.root, _root(100));
        IAnchorRegistry.Log memory opened = registry.log(next);
        vm.assertEq(opened.epoch, 2);
        vm.assertEq(opened.operator, OTHER);
        vm.assertEq(opened.key, KEY_2);
        vm.assertEq(opened.issuerId, ada);
        vm.assertEq(registry.issuer(ada).epoch, 2);
        vm.assertEq(registry.issuer(ada).statement, 3);
        vm.assertEq(registry.currentLog(ada), next);
    }

    function test_TheCouncilOpensAnEpochForALostController() public {
        vm.prank(COUNCIL);
        registry.openEpoch("ada", 1, OTHER, KEY_2, 0);
        vm.assertEq(registry.issuer(ada).epoch, 2);
        vm.assertEq(registry.issuer(ada).controller, CONTROLLER);
    }

    function test_RevertWhen_ASupersededLogIsAnchored() public {
        _anchor(adaLog, 0, 100, 1);
        vm.prank(CONTROLLER);
        registry.openEpoch("ada", 1, OTHER, KEY_2, 120);
        bytes memory refusal = abi.encodeWithSelector(E.LogIsSuperseded.selector, adaLog);
        _expectRefusedAnchor(refusal, adaLog, 100, 110, _root(110), 1);
        vm.prank(CONTROLLER);
        vm.expectRevert(refusal);
        registry.replaceOperator(adaLog, OTHER);
    }

    function test_RevertWhen_TheGoodSizeIsBelowWhatIsAnchored() public {
        _anchor(adaLog, 0, 100, 1);
        vm.prank(COUNCIL);
        vm.expectRevert(abi.encodeWithSelector(E.GoodSizeTooSmall.selector, 99, 100));
        registry.openEpoch("ada", 1, OTHER, KEY_2, 99);
        vm.prank(COUNCIL);
        vm.expectRevert(abi.encodeWithSelector(E.TreeTooLarge.selector, uint64(1) << 63, (uint64(1) << 63) - 1));
        registry.openEpoch("ada", 1, OTHER, KEY_2, uint64(1) << 63);
        vm.prank(COUNCIL);
        registry.openEpoch("ada", 1, OTHER, KEY_2, 100);
    }

    function test_RevertWhen_AnEpochIsOpenedTwiceByARepeatedCall() public {
        vm.prank(CONTROLLER);
        registry.openEpoch("ada", 1, OTHER, KEY_2, 0);
        vm.prank(CONTROLLER);
        vm.expectRevert(abi.encodeWithSelector(E.StaleEpoch.selector, 1, 2));
        registry.openEpoch("ada", 1, OTHER, KEY_2, 0);
        vm.assertEq(registry.issuer(ada).epoch, 2);
    }

    /// @dev Controller and council both answer a theft, in one block and with different logs: the second call would
    /// supersede the log of the first, empty as it is.
    function test_RevertWhen_ControllerAndCouncilOpenTheSameEpoch() public {
        _anchor(adaLog, 0, 100, 1);
        vm.prank(CONTROLLER);
        registry.openEpoch("ada", 1, OTHER, KEY_2, 100);
        bytes32 next = registry.currentLog(ada);
        vm.prank(COUNCIL);
        vm.expectRevert(abi.encodeWithSelector(E.StaleEpoch.selector, 1, 2));
        registry.openEpoch("ada", 1, OPERATOR, keccak256("ada/2 verifier key of the council's host"), 100);
        vm.assertEq(registry.currentLog(ada), next);
        vm.assertEq(registry.log(next).operator, OTHER);
        vm.assertFalse(registry.log(next).superseded, "superseded by a raced call");
    }

    function testFuzz_RevertWhen_TheEpochIsNotTheCurrentOne(uint16 epoch) public {
        vm.prank(CONTROLLER);
        registry.openEpoch("ada", 1, OPERATOR, KEY_2, 0);
        vm.assume(epoch != 2);
        vm.prank(CONTROLLER);
        vm.expectRevert(abi.encodeWithSelector(E.StaleEpoch.selector, epoch, 2));
        registry.openEpoch("ada", epoch, OTHER, KEY, 0);
        vm.prank(CONTROLLER);
        registry.openEpoch("ada", 2, OTHER, KEY, 0);
    }

    function test_RevertWhen_TheNextEpochReusesTheLogsKey() public {
        vm.prank(CONTROLLER);
        vm.expectRevert(abi.encodeWithSelector(E.LogKeyReused.selector, KEY));
        registry.openEpoch("ada", 1, OTHER, KEY, 0);
    }

    function test_RevertWhen_AnEpochIsOpenedWithNothing() public {
        vm.prank(CONTROLLER);
        vm.expectRevert(abi.encodeWithSelector(E.ZeroArgument.selector, "operator"));
        registry.openEpoch("ada", 1, address(0), KEY_2, 0);
        vm.prank(CONTROLLER);
        vm.expectRevert(abi.encodeWithSelector(E.ZeroArgument.selector, "logKey"));
        registry.openEpoch("ada", 1, OTHER, 0, 0);
        bytes32 bea = registry.issuerIdOf("bea");
        vm.prank(COUNCIL);
        vm.expectRevert(abi.encodeWithSelector(E.UnknownIssuer.selector, bea));
        registry.openEpoch("bea", 1, OTHER, KEY_2, 0);
    }

    function testFuzz_RevertWhen_AStrangerOpensAnEpoch(address caller) public {
        vm.assume(caller != CONTROLLER && caller != COUNCIL);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(E.NotControllerOrCouncil.selector, ada, caller, CONTROLLER, COUNCIL));
        registry.openEpoch("ada", 1, OTHER, KEY_2, 0);
    }

    /// @dev Epoch 65 535 is the last one: the counter is checked, it does not wrap to an epoch that exists.
    function test_RevertWhen_TheEpochsAreUsedUp() public {
        bytes32 slot = bytes32(uint256(keccak256(abi.encode(ada, 4))) + 1);
        uint256 packed = uint256(vm.load(address(registry), slot));
        vm.store(address(registry), slot, bytes32((packed & ~(uint256(0xffff) << 168)) | (uint256(0xffff) << 168)));
        vm.assertEq(registry.issuer(ada).epoch, 65_535);
        vm.prank(CONTROLLER);
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        registry.openEpoch("ada", 65_535, OTHER, KEY_2, 0);
    }

    // --- suspension ------------------------------------------------------------------------------------------------

    function test_ASuspensionRecordsBothEndsInSizesAndTimes() public {
        _anchor(adaLog, 0, 100, 1);
        vm.warp(START + 10);
        vm.prank(COUNCIL);
        vm.expectEmit(address(registry));
        emit Ev.IssuerSuspended(ada, 0, 1, 100);
        registry.suspend(ada);
        IAnchorRegistry.Suspension memory interval = registry.suspension(ada, 0);
        vm.assertEq(interval.fromEpoch, 1);
        vm.assertEq(interval.fromSize, 100);
        vm.assertEq(interval.suspendedAt, START + 10);
        vm.assertEq(interval.reinstatedAt, 0);

        _anchor(adaLog, 100, 105, 2);
        vm.prank(CONTROLLER);
        registry.openEpoch("ada", 1, OPERATOR, KEY_2, 105);
        _anchor(registry.logIdOf("ada", 2), 0, 7, 3);
        vm.warp(START + 20);
        vm.prank(COUNCIL);
        vm.expectEmit(address(registry));
        emit Ev.IssuerReinstated(ada, 0, 2, 7);
        registry.reinstate(ada);
        interval = registry.suspension(ada, 0);
        vm.assertEq(interval.fromEpoch, 1);
        vm.assertEq(interval.fromSize, 100);
        vm.assertEq(interval.untilEpoch, 2);
        vm.assertEq(interval.untilSize, 7);
        vm.assertEq(interval.suspendedAt, START + 10);
        vm.assertEq(interval.reinstatedAt, START + 20);
        vm.assertEq(registry.issuer(ada).suspensions, 1);
        vm.assertTrue(registry.issuer(ada).lifecycle == IAnchorRegistry.Lifecycle.Active, "active");
    }

    function test_ASecondSuspensionLeavesTheFirstAlone() public {
        vm.prank(COUNCIL);
        registry.suspend(ada);
        vm.prank(COUNCIL);
        registry.reinstate(ada);
        bytes32 first = keccak256(abi.encode(registry.suspension(ada, 0)));
        _anchor(adaLog, 0, 9, 1);
        vm.warp(START + 99);
        vm.prank(COUNCIL);
        registry.suspend(ada);
        vm.assertEq(keccak256(abi.encode(registry.suspension(ada, 0))), first);
        vm.assertEq(registry.suspension(ada, 1).fromSize, 9);
        vm.assertEq(registry.issuer(ada).suspensions, 2);
    }

    function test_RevertWhen_SuspensionsWouldOverlapOrEndTwice() public {
        vm.prank(COUNCIL);
        vm.expectRevert(abi.encodeWithSelector(E.IssuerNotSuspended.selector, ada));
        registry.reinstate(ada);
        vm.prank(COUNCIL);
        registry.suspend(ada);
        vm.prank(COUNCIL);
        vm.expectRevert(abi.encodeWithSelector(E.IssuerIsSuspended.selector, ada));
        registry.suspend(ada);
    }

    function test_RevertWhen_TheSuspensionsAreUsedUp() public {
        bytes32 slot = bytes32(uint256(keccak256(abi.encode(ada, 4))) + 1);
        uint256 packed = uint256(vm.load(address(registry), slot));
        vm.store(address(registry), slot, bytes32(packed | (uint256(0xffff) << 216)));
        vm.assertEq(registry.issuer(ada).suspensions, 65_535);
        vm.prank(COUNCIL);
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        registry.suspend(ada);
        vm.prank(COUNCIL);
        registry.close(ada, 0, 0);
    }

    function testFuzz_RevertWhen_AStrangerSuspendsOrReinstates(address caller) public {
        vm.assume(caller != COUNCIL);
        vm.prank(caller);
        vm.expectRevert(_unauthorized(caller));
        registry.suspend(ada);
        vm.prank(COUNCIL);
        registry.suspend(ada);
        vm.prank(caller);
        vm.expectRevert(_unauthorized(caller));
        registry.reinstate(ada);
    }

    // --- closure ---------------------------------------------------------------------------------------------------

    function test_ClosureFixesTheSizeAndNamesTheCustodian() public {
        (bytes32 bea,) = _admit("bea");
        _anchor(adaLog, 0, 100, 1);
        vm.prank(CONTROLLER);
        vm.expectEmit(address(registry));
        emit Ev.IssuerClosed(ada, bea, adaLog, 100);
        registry.close(ada, bea, 100);
        IAnchorRegistry.Issuer memory record = registry.issuer(ada);
        vm.assertTrue(record.lifecycle == IAnchorRegistry.Lifecycle.Closed, "closed");
        vm.assertEq(record.custodian, bea);
        vm.assertEq(registry.head(adaLog).size, 100);
    }

    /// @dev A hostile operator anchors what nobody signed for in front of the closure. Without the size the issuer would
    /// be closed for ever on a head that has no checkpoint.
    function test_RevertWhen_TheLogGrewBeforeTheClosure() public {
        _anchor(adaLog, 0, 100, 1);
        _anchor(adaLog, 100, 130, 1);
        vm.prank(CONTROLLER);
        vm.expectRevert(abi.encodeWithSelector(E.StaleTreeSize.selector, 100, 130));
        registry.close(ada, 0, 100);
        vm.assertTrue(registry.issuer(ada).lifecycle == IAnchorRegistry.Lifecycle.Active, "still open");

        // The operator goes first; then the issuer can leave the log, and close on one that is its own.
        vm.prank(CONTROLLER);
        registry.replaceOperator(adaLog, OTHER);
        vm.prank(CONTROLLER);
        registry.openEpoch("ada", 1, OTHER, KEY_2, 130);
        vm.prank(CONTROLLER);
        registry.close(ada, 0, 0);
    }

    /// @dev The size is that of the current log: a closure meant for epoch 1 does not close on epoch 2.
    function test_RevertWhen_TheClosureWasMeantForTheEpochBefore() public {
        _anchor(adaLog, 0, 100, 1);
        vm.prank(COUNCIL);
        registry.openEpoch("ada", 1, OPERATOR, KEY_2, 100);
        vm.prank(CONTROLLER);
        vm.expectRevert(abi.encodeWithSelector(E.StaleTreeSize.selector, 100, 0));
        registry.close(ada, 0, 100);
        bytes32 next = registry.currentLog(ada);
        _anchor(next, 0, 7, 1);
        vm.prank(CONTROLLER);
        vm.expectEmit(address(registry));
        emit Ev.IssuerClosed(ada, 0, next, 7);
        registry.close(ada, 0, 7);
    }

    function testFuzz_RevertWhen_TheClosureNamesAnotherSize(uint64 size, uint64 anchored, bool byCouncil) public {
        anchored = anchored % 1000;
        vm.assume(size != anchored);
        if (anchored != 0) _anchor(adaLog, 0, anchored, 1);
        bytes32 before = keccak256(abi.encode(registry.issuer(ada), registry.log(adaLog)));
        vm.prank(byCouncil ? COUNCIL : CONTROLLER);
        vm.expectRevert(abi.encodeWithSelector(E.StaleTreeSize.selector, size, anchored));
        registry.close(ada, 0, size);
        vm.assertEq(keccak256(abi.encode(registry.issuer(ada), registry.log(adaLog))), before);
        vm.prank(byCouncil ? COUNCIL : CONTROLLER);
        registry.close(ada, 0, anchored);
    }

    function test_TheCouncilClosesWhoVanished() public {
        vm.prank(COUNCIL);
        registry.close(ada, 0, 0);
        vm.assertTrue(registry.issuer(ada).lifecycle == IAnchorRegistry.Lifecycle.Closed, "closed");
    }

    function test_ASuspensionThatIsOpenAtClosureStaysOpen() public {
        vm.prank(COUNCIL);
        registry.suspend(ada);
        vm.prank(COUNCIL);
        registry.close(ada, 0, 0);
        vm.prank(COUNCIL);
        vm.expectRevert(abi.encodeWithSelector(E.IssuerIsClosed.selector, ada));
        registry.reinstate(ada);
        vm.assertEq(registry.suspension(ada, 0).reinstatedAt, 0);
    }

    function test_RevertWhen_AClosedIssuerIsTouched() public {
        _anchor(adaLog, 0, 100, 1);
        vm.prank(COUNCIL);
        registry.proposeRecovery(ada, OTHER, KEY_EVENT);
        vm.prank(CONTROLLER);
        registry.transferController(ada, OTHER);
        vm.prank(CONTROLLER);
        registry.close(ada, 0, 100);
        bytes memory closed = abi.encodeWithSelector(E.IssuerIsClosed.selector, ada);
        bytes32 before = keccak256(abi.encode(registry.issuer(ada), registry.log(adaLog)));

        _expectRefusedAnchor(closed, adaLog, 100, 110, _root(110), 1);
        bytes[9] memory calls = [
            abi.encodeCall(IAnchorRegistry.openEpoch, ("ada", 1, OTHER, KEY_2, 100)),
            abi.encodeCall(IAnchorRegistry.close, (ada, 0, 100)),
            abi.encodeCall(IAnchorRegistry.suspend, (ada)),
            abi.encodeCall(IAnchorRegistry.reinstate, (ada)),
            abi.encodeCall(IAnchorRegistry.replaceOperator, (adaLog, OTHER)),
            abi.encodeCall(IAnchorRegistry.transferController, (ada, OTHER)),
            abi.encodeCall(IAnchorRegistry.proposeRecovery, (ada, OTHER, KEY_EVENT)),
            abi.encodeCall(IAnchorRegistry.executeRecovery, (ada)),
            abi.encodeCall(IAnchorRegistry.vetoRecovery, (ada))
        ];
        vm.warp(START + DELAY);
        for (uint256 i = 0; i < calls.length; ++i) {
            _expectClosed(COUNCIL, calls[i], closed);
            _expectClosed(CONTROLLER, calls[i], closed);
        }
        _expectClosed(OTHER, abi.encodeCall(IAnchorRegistry.acceptController, (ada)), closed);
        vm.assertEq(keccak256(abi.encode(registry.issuer(ada), registry.log(adaLog))), before);
        vm.assertEq(registry.recovery(ada).executableAt, 0);
        vm.assertEq(registry.pendingController(ada), address(0));
    }

    /// @dev Whoever asks, the answer is either "closed" or "not you"; never success.
    function _expectClosed(address caller, bytes memory data, bytes memory closed) private {
        vm.prank(caller);
        (bool done, bytes memory answer) = address(registry).call(data);
        vm.assertFalse(done, "a closed issuer was touched");
        vm.assertTrue(
            keccak256(answer) == keccak256(closed) || keccak256(answer) == keccak256(_unauthorized(caller)), "error"
        );
    }

    function test_RevertWhen_TheCustodianIsNotAnOpenIssuer() public {
        (bytes32 bea,) = _admit("bea");
        bytes32 nobody = registry.issuerIdOf("nobody");
        vm.prank(CONTROLLER);
        vm.expectRevert(abi.encodeWithSelector(E.BadCustodian.selector, nobody));
        registry.close(ada, nobody, 0);
        vm.prank(CONTROLLER);
        vm.expectRevert(abi.encodeWithSelector(E.BadCustodian.selector, ada));
        registry.close(ada, ada, 0);
        vm.prank(CONTROLLER);
        registry.close(bea, ada, 0);
        vm.prank(CONTROLLER);
        vm.expectRevert(abi.encodeWithSelector(E.BadCustodian.selector, bea));
        registry.close(ada, bea, 0);
    }

    function test_ASuspendedIssuerCanBeACustodian() public {
        (bytes32 bea,) = _admit("bea");
        vm.prank(COUNCIL);
        registry.suspend(bea);
        vm.prank(CONTROLLER);
        registry.close(ada, bea, 0);
        vm.assertEq(registry.issuer(ada).custodian, bea);
    }

    function testFuzz_RevertWhen_AStrangerCloses(address caller) public {
        vm.assume(caller != CONTROLLER && caller != COUNCIL);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(E.NotControllerOrCouncil.selector, ada, caller, CONTROLLER, COUNCIL));
        registry.close(ada, 0, 0);
    }

    function test_RevertWhen_TheIssuerIsUnknown() public {
        bytes32 bea = registry.issuerIdOf("bea");
        bytes memory unknown = abi.encodeWithSelector(E.UnknownIssuer.selector, bea);
        bytes[4] memory calls = [
            abi.encodeCall(IAnchorRegistry.close, (bea, 0, 0)),
            abi.encodeCall(IAnchorRegistry.suspend, (bea)),
            abi.encodeCall(IAnchorRegistry.reinstate, (bea)),
            abi.encodeCall(IAnchorRegistry.proposeRecovery, (bea, OTHER, 0))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(COUNCIL);
            (bool done, bytes memory answer) = address(registry).call(calls[i]);
            vm.assertFalse(done, "unknown issuer");
            vm.assertEq(keccak256(answer), keccak256(unknown));
        }
    }
}

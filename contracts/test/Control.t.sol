// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAnchorRegistry} from "../src/IAnchorRegistry.sol";
import {IAnchorRegistryErrors as E} from "../src/IAnchorRegistryErrors.sol";
import {IAnchorRegistryEvents as Ev} from "../src/IAnchorRegistryEvents.sol";
import {RegistryTest} from "./RegistryTest.sol";
import {vm} from "./Vm.sol";

contract ControlTest is RegistryTest {
    // --- operator --------------------------------------------------------------------------------------------------

    function test_TheControllerReplacesAStolenOperator() public {
        _anchor(adaLog, 0, 5, 1);
        vm.prank(CONTROLLER);
        vm.expectEmit(address(registry));
        emit Ev.OperatorReplaced(adaLog, OPERATOR, OTHER);
        registry.replaceOperator(adaLog, OTHER);
        bytes memory refusal = abi.encodeWithSelector(E.NotOperator.selector, adaLog, OPERATOR, OTHER);
        _expectRefusedAnchor(refusal, adaLog, 5, 9, _root(9), 1);
        // Not even a repeat of the head: the old operator has no business here.
        _expectRefusedAnchor(refusal, adaLog, 5, 5, _root(5), 1);
    }

    function testFuzz_RevertWhen_AnybodyElseReplacesTheOperator(address caller) public {
        vm.assume(caller != CONTROLLER);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(E.NotController.selector, ada, caller, CONTROLLER));
        registry.replaceOperator(adaLog, OTHER);
    }

    function test_RevertWhen_TheCouncilReplacesAnOperator() public {
        vm.prank(COUNCIL);
        vm.expectRevert(abi.encodeWithSelector(E.NotController.selector, ada, COUNCIL, CONTROLLER));
        registry.replaceOperator(adaLog, OTHER);
    }

    function test_RevertWhen_TheNewOperatorIsNobodyOrTheLogUnknown() public {
        vm.prank(CONTROLLER);
        vm.expectRevert(abi.encodeWithSelector(E.ZeroArgument.selector, "operator"));
        registry.replaceOperator(adaLog, address(0));
        vm.prank(CONTROLLER);
        vm.expectRevert(abi.encodeWithSelector(E.UnknownLog.selector, ada));
        registry.replaceOperator(ada, OTHER);
    }

    // --- controller ------------------------------------------------------------------------------------------------

    function test_TheControllerChangesInTwoSteps() public {
        vm.prank(CONTROLLER);
        vm.expectEmit(address(registry));
        emit Ev.ControllerTransferStarted(ada, CONTROLLER, OTHER);
        registry.transferController(ada, OTHER);
        vm.assertEq(registry.issuer(ada).controller, CONTROLLER);
        vm.assertEq(registry.pendingController(ada), OTHER);
        vm.prank(OTHER);
        vm.expectEmit(address(registry));
        emit Ev.ControllerReplaced(ada, CONTROLLER, OTHER);
        registry.acceptController(ada);
        vm.assertEq(registry.issuer(ada).controller, OTHER);
        vm.assertEq(registry.pendingController(ada), address(0));
        vm.prank(CONTROLLER);
        vm.expectRevert(abi.encodeWithSelector(E.NotController.selector, ada, CONTROLLER, OTHER));
        registry.transferController(ada, STRANGER);
    }

    function test_RevertWhen_TheOfferIsWithdrawnOrAnothers() public {
        vm.prank(CONTROLLER);
        registry.transferController(ada, OTHER);
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(E.NotPendingController.selector, ada, STRANGER, OTHER));
        registry.acceptController(ada);
        vm.prank(CONTROLLER);
        registry.transferController(ada, address(0));
        vm.prank(OTHER);
        vm.expectRevert(abi.encodeWithSelector(E.NotPendingController.selector, ada, OTHER, address(0)));
        registry.acceptController(ada);
    }

    function testFuzz_RevertWhen_NobodyWasNamed(address caller) public {
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(E.NotPendingController.selector, ada, caller, address(0)));
        registry.acceptController(ada);
        vm.prank(address(0));
        vm.expectRevert(abi.encodeWithSelector(E.NotPendingController.selector, ada, address(0), address(0)));
        registry.acceptController(ada);
    }

    function testFuzz_RevertWhen_AnybodyElseGivesTheIssuerAway(address caller) public {
        vm.assume(caller != CONTROLLER);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(E.NotController.selector, ada, caller, CONTROLLER));
        registry.transferController(ada, caller);
    }

    function test_AnOfferForOneIssuerIsNoneForAnother() public {
        (bytes32 bea,) = _admit("bea");
        vm.prank(CONTROLLER);
        registry.transferController(ada, OTHER);
        vm.prank(OTHER);
        vm.expectRevert(abi.encodeWithSelector(E.NotPendingController.selector, bea, OTHER, address(0)));
        registry.acceptController(bea);
    }

    // --- recovery --------------------------------------------------------------------------------------------------

    function test_ARecoveryReplacesControllerAndKeyChainAfterTheDelay() public {
        _anchor(adaLog, 0, 100, 1);
        vm.prank(COUNCIL);
        vm.expectEmit(address(registry));
        emit Ev.RecoveryProposed(ada, OTHER, KEY_EVENT, uint64(START) + DELAY);
        registry.proposeRecovery(ada, OTHER, KEY_EVENT);
        vm.assertEq(registry.recovery(ada).controller, OTHER);
        vm.assertEq(registry.recovery(ada).firstKeyEvent, KEY_EVENT);
        _anchor(adaLog, 100, 130, 1);
        vm.warp(START + DELAY);
        vm.prank(COUNCIL);
        vm.expectEmit(address(registry));
        emit Ev.RecoveryExecuted(ada, OTHER, KEY_EVENT);
        vm.expectEmit(address(registry));
        emit Ev.ControllerReplaced(ada, CONTROLLER, OTHER);
        vm.expectEmit(address(registry));
        emit Ev.KeyChainReplaced(ada, 0, KEY_EVENT, 1, 130);
        registry.executeRecovery(ada);

        IAnchorRegistry.KeyChain memory chain = registry.keyChain(ada, 0);
        vm.assertEq(chain.firstKeyEvent, KEY_EVENT);
        vm.assertEq(chain.epoch, 1);
        vm.assertEq(chain.startSize, 130);
        vm.assertEq(chain.recordedAt, START + DELAY);
        vm.assertEq(registry.issuer(ada).keyChains, 1);
        vm.assertEq(registry.issuer(ada).controller, OTHER);
        vm.assertEq(registry.recovery(ada).executableAt, 0);
    }

    function test_ARecoveryOfOneLeavesTheOther() public {
        _recover(OTHER, 0);
        vm.assertEq(registry.issuer(ada).controller, OTHER);
        vm.assertEq(registry.issuer(ada).keyChains, 0);
        _recover(address(0), KEY_EVENT);
        vm.assertEq(registry.issuer(ada).controller, OTHER);
        vm.assertEq(registry.issuer(ada).keyChains, 1);
        _recover(address(0), IDENTITY);
        vm.assertEq(registry.keyChain(ada, 0).firstKeyEvent, KEY_EVENT);
        vm.assertEq(registry.keyChain(ada, 1).firstKeyEvent, IDENTITY);
    }

    function test_RevertWhen_TheDelayIsNotOver() public {
        vm.prank(COUNCIL);
        registry.proposeRecovery(ada, OTHER, 0);
        vm.warp(START + DELAY - 1);
        vm.prank(COUNCIL);
        vm.expectRevert(abi.encodeWithSelector(E.RecoveryTooEarly.selector, START + DELAY, START + DELAY - 1));
        registry.executeRecovery(ada);
    }

    function test_ANewProposalStartsTheDelayAnew() public {
        vm.prank(COUNCIL);
        registry.proposeRecovery(ada, OTHER, 0);
        vm.warp(START + DELAY);
        vm.prank(COUNCIL);
        registry.proposeRecovery(ada, STRANGER, 0);
        vm.prank(COUNCIL);
        vm.expectRevert(abi.encodeWithSelector(E.RecoveryTooEarly.selector, START + 2 * DELAY, START + DELAY));
        registry.executeRecovery(ada);
    }

    function test_TheControllerVetoes() public {
        vm.prank(COUNCIL);
        registry.proposeRecovery(ada, OTHER, KEY_EVENT);
        vm.warp(START + DELAY + 1);
        vm.prank(CONTROLLER);
        vm.expectEmit(address(registry));
        emit Ev.RecoveryVetoed(ada, CONTROLLER);
        registry.vetoRecovery(ada);
        vm.prank(COUNCIL);
        vm.expectRevert(abi.encodeWithSelector(E.NoRecoveryPending.selector, ada));
        registry.executeRecovery(ada);
        vm.prank(CONTROLLER);
        vm.expectRevert(abi.encodeWithSelector(E.NoRecoveryPending.selector, ada));
        registry.vetoRecovery(ada);
    }

    function testFuzz_RevertWhen_AnybodyElseVetoes(address caller) public {
        vm.assume(caller != CONTROLLER);
        vm.prank(COUNCIL);
        registry.proposeRecovery(ada, OTHER, KEY_EVENT);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(E.NotController.selector, ada, caller, CONTROLLER));
        registry.vetoRecovery(ada);
    }

    function testFuzz_RevertWhen_AnybodyElseRecovers(address caller) public {
        vm.assume(caller != COUNCIL);
        vm.prank(caller);
        vm.expectRevert(_unauthorized(caller));
        registry.proposeRecovery(ada, caller, 0);
        vm.prank(COUNCIL);
        registry.proposeRecovery(ada, OTHER, 0);
        vm.warp(START + DELAY);
        vm.prank(caller);
        vm.expectRevert(_unauthorized(caller));
        registry.executeRecovery(ada);
    }

    function test_RevertWhen_ARecoveryIsEmptyOrExecutedTwice() public {
        vm.prank(COUNCIL);
        vm.expectRevert(abi.encodeWithSelector(E.EmptyRecovery.selector, ada));
        registry.proposeRecovery(ada, address(0), 0);
        _recover(OTHER, 0);
        vm.prank(COUNCIL);
        vm.expectRevert(abi.encodeWithSelector(E.NoRecoveryPending.selector, ada));
        registry.executeRecovery(ada);
    }

    /// @dev A thief of the old key who had offered the issuer to himself must not accept after the recovery.
    function test_ARecoveryCancelsTheOldControllersOffer() public {
        vm.prank(CONTROLLER);
        registry.transferController(ada, STRANGER);
        _recover(OTHER, 0);
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(E.NotPendingController.selector, ada, STRANGER, address(0)));
        registry.acceptController(ada);
    }

    function test_TheKeyChainStartsInTheEpochOfItsExecution() public {
        vm.prank(COUNCIL);
        registry.proposeRecovery(ada, address(0), KEY_EVENT);
        vm.prank(COUNCIL);
        registry.openEpoch("ada", 1, OPERATOR, KEY_2, 0);
        _anchor(registry.logIdOf("ada", 2), 0, 4, 1);
        vm.warp(START + DELAY);
        vm.prank(COUNCIL);
        registry.executeRecovery(ada);
        vm.assertEq(registry.keyChain(ada, 0).epoch, 2);
        vm.assertEq(registry.keyChain(ada, 0).startSize, 4);
    }

    function test_RevertWhen_TheKeyChainsAreUsedUp() public {
        bytes32 slot = bytes32(uint256(keccak256(abi.encode(ada, 4))) + 1);
        uint256 packed = uint256(vm.load(address(registry), slot));
        vm.store(address(registry), slot, bytes32(packed | (uint256(0xffff) << 232)));
        vm.assertEq(registry.issuer(ada).keyChains, 65_535);
        vm.prank(COUNCIL);
        registry.proposeRecovery(ada, address(0), KEY_EVENT);
        vm.warp(START + DELAY);
        vm.prank(COUNCIL);
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        registry.executeRecovery(ada);
    }

    function _recover(address controller, bytes32 firstKeyEvent) private {
        vm.prank(COUNCIL);
        registry.proposeRecovery(ada, controller, firstKeyEvent);
        uint64 due = registry.recovery(ada).executableAt;
        vm.warp(due);
        vm.prank(COUNCIL);
        registry.executeRecovery(ada);
    }
}

"""What is believed of all cells after some were seen: a mixture of Gaussians, in two forms."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from forkpoint.engine.kernel import Floats, Ints


@dataclass(frozen=True)
class Belief(ABC):
    """A mixture of Gaussians over all cells, one part for each setting of the prior."""

    weight_H: Floats
    mean_HC: Floats
    final_A: Ints

    @abstractmethod
    def parts(self, left_L: Ints, right_M: Ints) -> Floats:
        """Covariance (H, L, M) of two sets of cells in each part."""

    @abstractmethod
    def pairs(self, left_M: Ints, right_M: Ints) -> Floats:
        """Covariance (H, M) of each cell with the one at the same place on the other side."""

    @abstractmethod
    def width(self) -> int:
        """How many standard normals one future of all finals is made of."""

    @abstractmethod
    def away(self, part: int, normal_SW: Floats) -> Floats:
        """Deviations (S, A) of all finals from their means in one part."""

    def mean(self, cell_M: Ints) -> Floats:
        """Mean curve values of some cells."""
        mean_M: Floats = self.weight_H @ self.mean_HC[:, cell_M]
        return mean_M

    def covariance(self, left_L: Ints, right_M: Ints) -> Floats:
        """Covariance (L, M) of the mixture, the parts' disagreement included."""
        left_HL = self.mean_HC[:, left_L] - self.mean(left_L)
        right_HM = self.mean_HC[:, right_M] - self.mean(right_M)
        total_LM: Floats = np.tensordot(self.weight_H, self.parts(left_L, right_M), 1)
        return total_LM + (self.weight_H[:, None] * left_HL).T @ right_HM

    def between(self, left_M: Ints, right_M: Ints) -> Floats:
        """Covariance of each cell with the one at the same place on the other side."""
        left_HM = self.mean_HC[:, left_M] - self.mean(left_M)
        right_HM = self.mean_HC[:, right_M] - self.mean(right_M)
        parts_HM = self.pairs(left_M, right_M) + left_HM * right_HM
        total_M: Floats = self.weight_H @ parts_HM
        return total_M


@dataclass(frozen=True)
class DenseBelief(Belief):
    """The parts as whole matrices: what 64 arms and fewer take.

    `half_HNC` are the parts' Cholesky-solved covariances of seen cells with all cells, so that
    the posterior covariance of any few cells is one product away.
    """

    prior_HCC: Floats
    half_HNC: Floats

    def parts(self, left_L: Ints, right_M: Ints) -> Floats:
        """Covariance (H, L, M) of two sets of cells in each part."""
        prior_HLM = self.prior_HCC[:, left_L[:, None], right_M[None, :]]
        half_HLN = self.half_HNC[:, :, left_L].transpose(0, 2, 1)
        parts_HLM: Floats = prior_HLM - half_HLN @ self.half_HNC[:, :, right_M]
        return parts_HLM

    def pairs(self, left_M: Ints, right_M: Ints) -> Floats:
        """Covariance (H, M) of each cell with the one at the same place on the other side."""
        seen_HM = np.einsum(
            "hnm,hnm->hm", self.half_HNC[:, :, left_M], self.half_HNC[:, :, right_M]
        )
        pairs_HM: Floats = self.prior_HCC[:, left_M, right_M] - seen_HM
        return pairs_HM

    def width(self) -> int:
        """One normal an arm."""
        return len(self.final_A)

    def away(self, part: int, normal_SW: Floats) -> Floats:
        """By the symmetric root of the finals' covariance, which need not have full rank.

        That root does not depend on which eigenvectors a machine's library returns, so that every
        machine samples the same futures and decides the same.
        """
        cov_AA = self.parts(self.final_A, self.final_A)[part]
        values, vectors = np.linalg.eigh((cov_AA + cov_AA.T) / 2)
        root_AA = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
        away_SA: Floats = normal_SW @ root_AA
        return away_SA


@dataclass(frozen=True)
class CrowdBelief(Belief):
    """The parts as what all arms share, R loads a cell, and each arm's own block of K rungs."""

    own_HAKK: Floats
    load_HCR: Floats

    def parts(self, left_L: Ints, right_M: Ints) -> Floats:
        """Covariance (H, L, M) of two sets of cells in each part."""
        shared_HLM = self.load_HCR[:, left_L] @ self.load_HCR[:, right_M].transpose(0, 2, 1)
        parts_HLM: Floats = shared_HLM + self._own(left_L[:, None], right_M[None, :])
        return parts_HLM

    def pairs(self, left_M: Ints, right_M: Ints) -> Floats:
        """Covariance (H, M) of each cell with the one at the same place on the other side."""
        shared_HM = np.einsum("hmr,hmr->hm", self.load_HCR[:, left_M], self.load_HCR[:, right_M])
        pairs_HM: Floats = shared_HM + self._own(left_M, right_M)
        return pairs_HM

    def _own(self, left: Ints, right: Ints) -> Floats:
        """What cells share because they are the same arm's; the two sides are broadcast."""
        rungs = self.own_HAKK.shape[2]
        arm, same = left // rungs, left // rungs == right // rungs
        own: Floats = np.where(same, self.own_HAKK[:, arm, left % rungs, right % rungs], 0.0)
        return own

    def width(self) -> int:
        """One normal a load, and one an arm."""
        return int(self.load_HCR.shape[2]) + len(self.final_A)

    def away(self, part: int, normal_SW: Floats) -> Floats:
        """By the loads and, independently, each arm's own rest."""
        loads = self.load_HCR.shape[2]
        shared_SA = normal_SW[:, :loads] @ self.load_HCR[part][self.final_A].T
        own_A = self._own(self.final_A, self.final_A)[part]
        away_SA: Floats = shared_SA + normal_SW[:, loads:] * np.sqrt(np.maximum(own_A, 0.0))
        return away_SA
